//! Signed models through the functions of the header.

use core::mem::MaybeUninit;
use core::ptr;

use edgemix_c::boundary::edgemix_n_clusters;
use edgemix_c::signed::edgemix_load_signed;
use edgemix_c::status::*;
use edgemix_c::structs::Model;
use edgemix_format::signature::{public_key, sign};
use edgemix_format::testing::Spec;

const SECRET: [u8; 32] = [7; 32];

/// Loads a signed model whose counter is at least 3.
fn load(bytes: &[u8], key: &[u8; 32], most_macs: u64) -> (Status, Box<Model>, u32) {
    let (mut model, mut counter) = (Box::new(MaybeUninit::uninit()), 0);
    let (start, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: the pointers are those of slices, and the bytes live until the end of each test.
    let status = unsafe {
        edgemix_load_signed(Some(&mut *model), start, length, key.as_ptr(), 3, most_macs, 4096, Some(&mut counter))
    };
    // SAFETY: `edgemix_load_signed` writes the model whatever it finds.
    (status, unsafe { model.assume_init() }, counter)
}

#[test]
fn models_of_the_right_key_and_counter_are_loaded_and_others_refused() {
    let model = Spec::default().build().unwrap();
    let key = public_key(&SECRET);
    let signed = |secret, counter| sign(&model, secret, counter).unwrap();

    let bytes = signed(&SECRET, 5);
    let (status, loaded, counter) = load(&bytes, &key, 10_000);
    assert_eq!((status, counter, edgemix_n_clusters(Some(&loaded))), (EDGEMIX_OK, 5, 3));

    let mut altered = signed(&SECRET, 5);
    altered.as_mut()[100] ^= 1;
    let mut unknown = key;
    unknown[..].fill(2);
    for (bytes, key, most_macs, expected) in [
        (&signed(&SECRET, 2), &key, 10_000, EDGEMIX_ERROR_OLD),
        (&signed(&[8; 32], 5), &key, 10_000, EDGEMIX_ERROR_SIGNATURE),
        (&altered, &key, 10_000, EDGEMIX_ERROR_SIGNATURE),
        (&model, &key, 10_000, EDGEMIX_ERROR_NOT_SIGNED),
        (&signed(&SECRET, 5), &unknown, 10_000, EDGEMIX_ERROR_KEY),
        (&signed(&SECRET, 5), &key, 10, EDGEMIX_ERROR_TOO_SLOW),
    ] {
        let (status, refused, counter) = load(bytes, key, most_macs);
        assert_eq!((status, counter), (expected, 0));
        assert_eq!(edgemix_n_clusters(Some(&refused)), 0, "a model that was refused must not be usable");
    }
}

#[test]
fn null_pointers_are_refused() {
    let signed = sign(&Spec::default().build().unwrap(), &SECRET, 5).unwrap();
    let key = public_key(&SECRET);
    let (start, length) = (signed.as_ptr().cast(), signed.len());
    let (mut model, mut counter) = (MaybeUninit::uninit(), 0);
    // SAFETY: the pointers are null or those of slices.
    let statuses = unsafe {
        [
            edgemix_load_signed(None, start, length, key.as_ptr(), 3, 10_000, 4096, Some(&mut counter)),
            edgemix_load_signed(Some(&mut model), ptr::null(), 1, key.as_ptr(), 3, 10_000, 4096, Some(&mut counter)),
            edgemix_load_signed(Some(&mut model), start, length, ptr::null(), 3, 10_000, 4096, Some(&mut counter)),
            edgemix_load_signed(Some(&mut model), start, length, key.as_ptr(), 3, 10_000, 4096, None),
        ]
    };
    assert_eq!(statuses, [EDGEMIX_ERROR_NULL; 4]);
}
