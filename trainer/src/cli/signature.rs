//! `edgemix keys`, `edgemix sign` and `edgemix verify`: models that say who made them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use edgemix_format::Limits;
use edgemix_format::signature::{self, KEY_LEN, Trust, public_key};

use super::error::CliError;
use super::output::show;
use crate::run::{check_output, write_whole};

type Key = [u8; KEY_LEN];

#[derive(Args)]
#[command(after_help = "Example:
  edgemix keys owner      # owner.secret, which signs, and owner.key, which a firmware embeds")]
pub(super) struct Keys {
    /// The files' name without its end. They must not exist.
    name: PathBuf,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), CliError> {
        let named = |end: &str| {
            let mut name = self.name.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let (secret_path, key_path) = (named(".secret"), named(".key"));
        for path in [&secret_path, &key_path] {
            if path.exists() {
                let problem = "exists already, and a model that was signed with it could no longer be replaced";
                return Err(CliError::Usage(format!("{}: {problem}: choose another name", path.display())));
            }
        }
        let secret: Key = rand::random();
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&secret_path).and_then(|mut file| writeln!(file, "{digits}"));
        written.map_err(CliError::io(&secret_path))?;
        write_whole(&key_path, &public_key(&secret)).map_err(CliError::io(&key_path))?;
        show(&format!(
            "{}: signs models; keep it secret, and keep a copy\n{}: the public key, 32 bytes, which a firmware embeds\n",
            secret_path.display(),
            key_path.display()
        ))
    }
}

#[derive(Args)]
#[command(after_help = "Example:
  edgemix sign runs/mine/model.emx --secret owner.secret --counter 2 -o update.emx")]
pub(super) struct Sign {
    /// An .emx file.
    model: PathBuf,
    /// The file of the secret that `edgemix keys` wrote.
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// A number that is higher than that of every model you signed before: a firmware does not go back to a lower one.
    #[arg(long, value_name = "N")]
    counter: u32,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

impl Sign {
    pub(super) fn run(self) -> Result<(), CliError> {
        check_output(&self.out, &[&self.model, &self.secret], None)?;
        let model = read(&self.model)?;
        let secret = secret(&self.secret)?;
        let signed = signature::sign(&model, &secret, self.counter).map_err(refused(&self.model))?;
        write_whole(&self.out, &signed).map_err(CliError::io(&self.out))?;
        show(&format!("{}: {} bytes, signed, counter {}\n", self.out.display(), signed.len(), self.counter))
    }
}

#[derive(Args)]
#[command(after_help = "Example:
  edgemix verify update.emx --key owner.key --least-counter 2")]
pub(super) struct Verify {
    /// A signed .emx file.
    model: PathBuf,
    /// The file of the public key that `edgemix keys` wrote.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The lowest counter that is accepted.
    #[arg(long, value_name = "N", default_value_t = 0)]
    least_counter: u32,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), CliError> {
        let model = edgemix_format::write::AlignedBytes::from(&read(&self.model)?[..]);
        let key: Key = read(&self.key)?.try_into().map_err(|bytes: Vec<u8>| {
            let expected = format!("a public key has {KEY_LEN} bytes, but this file has {}", bytes.len());
            CliError::Usage(format!("{}: {expected}: take the .key file of `edgemix keys`", self.key.display()))
        })?;
        let trust = Trust { key: &key, least_counter: self.least_counter, limits: Limits::NONE };
        let (_, counter) = edgemix_runtime::Model::from_signed_bytes(&model, &trust).map_err(refused(&self.model))?;
        show(&format!("{}: signed with this key, counter {counter}\n", self.model.display()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(CliError::io(path))
}

/// A file with the digits of a secret.
fn secret(path: &Path) -> Result<Key, CliError> {
    let text = String::from_utf8_lossy(&read(path)?).trim().to_owned();
    let digit = |at: usize| text.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let mut secret = [0; KEY_LEN];
    let is_secret = text.len() == 2 * KEY_LEN
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && secret.iter_mut().enumerate().all(|(at, byte)| digit(at).map(|value| *byte = value).is_some());
    if is_secret {
        return Ok(secret);
    }
    let expected = format!("a secret has {} hexadecimal digits: take the .secret file of `edgemix keys`", 2 * KEY_LEN);
    Err(CliError::Usage(format!("{}: {expected}", path.display())))
}

fn refused(path: &Path) -> impl FnOnce(signature::SignatureError) -> CliError {
    move |error| CliError::Usage(format!("{}: {error}", path.display()))
}
