/* Runs .emx models: finds the cluster of a sample, its posterior probability, and how novel the sample is.
 *
 * This file is made from c-api/src by `cargo xtask c --bless`. Do not edit it; docs/c.md shows how it is used.
 *
 * - Nothing is allocated, nothing is global, and no function blocks or aborts. Every function may be called from several
 *   threads or interrupts at once, as long as two calls do not write to the same arena, stream, monitor or
 *   smoother.
 * - Pointers that are null or misaligned, and structs that were not filled, are refused. Nobody can check that a pointer
 *   points to as many elements as the length beside it says: that is up to the caller.
 * - The bytes of a model start at a multiple of 16 and an arena at a multiple of 4, both of which EDGEMIX_ALIGNED sees to.
 *   Everything else has the alignment of its C type.
 */

#ifndef EDGEMIX_H
#define EDGEMIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Aligns an array as the bytes of a model and an arena must be. It comes first in a declaration, as C++ demands:
 * EDGEMIX_ALIGNED static uint8_t arena[EDGEMIX_ARENA]; */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define EDGEMIX_ALIGNED alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define EDGEMIX_ALIGNED _Alignas(16)
#else
#define EDGEMIX_ALIGNED __attribute__((aligned(16)))
#endif

// Words of a loaded model.
#define EDGEMIX_MODEL_WORDS 448

// Words of a stream.
#define EDGEMIX_STREAM_WORDS 10

// Words of a monitor.
#define EDGEMIX_DRIFT_WORDS 16

// Words of a smoother.
#define EDGEMIX_SMOOTHER_WORDS 8

// What became of a call: `EDGEMIX_OK`, or an error. Bits 0 to 7 are one of the constants below. If they name a part of a
// model, bits 8 to 15 say what is wrong with it, which `edgemix_fault_text` puts into words, and bits 16 to 23 are the index
// of the layer.
typedef uint32_t edgemix_status;

// A loaded model, which `edgemix_load` fills. It points into the model's bytes, which must stay where they are, unchanged, as
// long as the model is used. Nothing changes it afterwards, so any number of threads may use it at once.
typedef struct edgemix_model {
    // For the library only.
    uint64_t filled;
    // For the library only.
    size_t words[EDGEMIX_MODEL_WORDS];
} edgemix_model;

// The result of assigning a sample.
typedef struct edgemix_assignment {
    // The cluster, from 0.
    uint16_t cluster;
    // The component of the mixture with the highest score: a cluster has one or several.
    uint16_t component;
    // That component's log weight plus log-density, or the logit of a softmax head, in units of 2^-16 nat.
    int32_t log_density;
    // How unusual the sample is: the share of known samples that are at least as unusual, in units of 1/65535. Small values
    // mean novel. It is 65535 if the model has no novelty tables.
    uint16_t novelty;
    // The score of each component in units of 2^-16 nat. They lie in the arena until the next call that takes this arena.
    const int32_t *scores;
} edgemix_assignment;

// A window of a stream: counts of instant after instant, in two parts. It lies in the stream's ring until the next call that
// takes the stream.
typedef struct edgemix_window {
    // The first instants.
    const int16_t *older;
    // Number of counts in the first part.
    size_t older_length;
    // The instants after them.
    const int16_t *newer;
    // Number of counts in the second part, perhaps 0.
    size_t newer_length;
    // The number of the first instant since the stream began, with those that were lost.
    uint64_t start;
} edgemix_window;

// Makes windows of counts that come one instant or one block at a time. `edgemix_stream_init` fills it.
typedef struct edgemix_stream {
    // For the library only.
    uint64_t filled;
    // For the library only.
    size_t words[EDGEMIX_STREAM_WORDS];
    // For the library only.
    int16_t *ring;
    // For the library only.
    size_t length;
} edgemix_stream;

// What a monitor keeps of a cluster.
typedef struct edgemix_cluster_drift {
    // For the library only.
    uint32_t words[5];
} edgemix_cluster_drift;

// Watches assignments for drift. `edgemix_drift_init` fills it. It points into the model's bytes, as the model does.
typedef struct edgemix_drift {
    // For the library only.
    uint64_t filled;
    // For the library only.
    size_t words[EDGEMIX_DRIFT_WORDS];
    // For the library only.
    struct edgemix_cluster_drift *clusters;
    // For the library only.
    size_t n_clusters;
} edgemix_drift;

// What a smoother keeps of a cluster.
typedef struct edgemix_cluster_belief {
    // For the library only.
    uint32_t words[2];
} edgemix_cluster_belief;

// Corrects the clusters of successive windows. `edgemix_smoother_init` fills it. It points into the model's bytes, as the model
// does.
typedef struct edgemix_smoother {
    // For the library only.
    uint64_t filled;
    // For the library only.
    size_t words[EDGEMIX_SMOOTHER_WORDS];
    // For the library only.
    struct edgemix_cluster_belief *clusters;
    // For the library only.
    size_t n_clusters;
} edgemix_smoother;

// The call did what it says.
#define EDGEMIX_OK 0

// A pointer is null.
#define EDGEMIX_ERROR_NULL 1

// A pointer is not at a multiple of its elements' size, or a length is more than any memory has.
#define EDGEMIX_ERROR_POINTER 2

// A struct was not filled by the function that makes it, or that function failed.
#define EDGEMIX_ERROR_NOT_READY 3

// The model is truncated.
#define EDGEMIX_ERROR_TOO_SHORT 16

// The bytes are no `.emx` model.
#define EDGEMIX_ERROR_MAGIC 17

// The model has another version of the format.
#define EDGEMIX_ERROR_VERSION 18

// An assignment takes more multiply-accumulates than allowed.
#define EDGEMIX_ERROR_TOO_SLOW 19

// An assignment needs a larger arena than allowed.
#define EDGEMIX_ERROR_ARENA_TOO_LARGE 20

// The lengths in the model's header contradict each other.
#define EDGEMIX_ERROR_LENGTHS 21

// A reserved byte of the model's header is not zero.
#define EDGEMIX_ERROR_RESERVED 22

// The model's checksum does not match: it was damaged.
#define EDGEMIX_ERROR_CHECKSUM 23

// The model does not start at a multiple of 16 bytes.
#define EDGEMIX_ERROR_MODEL_ALIGNMENT 24

// The model's name or fingerprint is not valid.
#define EDGEMIX_ERROR_DESCRIPTION 25

// The length of the model's samples, or what raw counts are, is not valid.
#define EDGEMIX_ERROR_SAMPLE 26

// The model's front ends are not valid.
#define EDGEMIX_ERROR_FRONT_ENDS 27

// The scaling of the model's input is not valid.
#define EDGEMIX_ERROR_INPUT 28

// The number of the encoder's layers is not valid.
#define EDGEMIX_ERROR_ENCODER 29

// A layer is not valid.
#define EDGEMIX_ERROR_LAYER 30

// The latent is not valid.
#define EDGEMIX_ERROR_LATENT 31

// The head is not valid.
#define EDGEMIX_ERROR_HEAD 32

// The novelty tables are not valid.
#define EDGEMIX_ERROR_CALIBRATION 33

// The model's description goes on after its last field.
#define EDGEMIX_ERROR_TRAILING_BYTES 34

// The arena's length in the model's header is wrong.
#define EDGEMIX_ERROR_ARENA 35

// The number of multiply-accumulates in the model's header is wrong.
#define EDGEMIX_ERROR_MACS 36

// A count in the model's header is wrong.
#define EDGEMIX_ERROR_COUNTS 37

// The levels of the model's clusters are not valid.
#define EDGEMIX_ERROR_HIERARCHY 38

// What the model knows of how its clusters follow each other is not valid.
#define EDGEMIX_ERROR_TRANSITIONS 39

// No signature follows the model.
#define EDGEMIX_ERROR_NOT_SIGNED 48

// The public key is not a valid Ed25519 key.
#define EDGEMIX_ERROR_KEY 49

// Someone else signed the model, or it was altered since.
#define EDGEMIX_ERROR_SIGNATURE 50

// The model is older than what is accepted.
#define EDGEMIX_ERROR_OLD 51

// The model is not valid in a way that this interface has no number for.
#define EDGEMIX_ERROR_MODEL 63

// The sample has another length than the model takes.
#define EDGEMIX_ERROR_INPUT_LENGTH 64

// A value of the sample is NaN or infinite.
#define EDGEMIX_ERROR_NOT_FINITE 65

// The arena is shorter than the model needs.
#define EDGEMIX_ERROR_ARENA_TOO_SHORT 66

// The arena does not start at a multiple of 4 bytes.
#define EDGEMIX_ERROR_ARENA_ALIGNMENT 67

// The sample cannot be assigned for a reason that does not happen to a loaded model.
#define EDGEMIX_ERROR_ASSIGN 79

// A window is empty, or the number of channels does not divide its length.
#define EDGEMIX_ERROR_CHANNELS 80

// There are no instants from one window to the next.
#define EDGEMIX_ERROR_STEP 81

// The model has no novelty table of held-out samples.
#define EDGEMIX_ERROR_NO_HELD_OUT_SAMPLES 96

// The model has more clusters than there is memory for.
#define EDGEMIX_ERROR_TOO_MANY_CLUSTERS 97

// The model does not know how its clusters follow each other: it was not trained on windows of a recording.
#define EDGEMIX_ERROR_NO_TRANSITIONS 98

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// A sentence for a status, such as "the model is damaged: its checksum does not match".
const char *edgemix_status_text(edgemix_status status);

// What is wrong with the part of the model that a status names, such as "a scale is not a finite positive number". It is
// empty for a status that names no part.
const char *edgemix_fault_text(edgemix_status status);

// Checks a model completely, and fills `model`. Afterwards only a wrong sample or arena can cause an error.
//
// `bytes` is at a multiple of 16, and may go on after the model, as a flash partition does. Any flipped bit and any
// truncation is refused. The bytes must stay where they are, unchanged, as long as `model` is used.
//
// The caller ensures:
// `bytes` points to `length` bytes that live as long as `model` is used, and `model` to memory for it.
edgemix_status edgemix_load(struct edgemix_model *model, const void *bytes, size_t length);

// As `edgemix_load`, but refuses a model of which an assignment takes more than `most_macs` multiply-accumulates or an arena
// of more than `most_arena` bytes, before anything else of it is looked at: for models that arrive later.
//
// The caller ensures:
// As for `edgemix_load`.
edgemix_status edgemix_load_within(struct edgemix_model *model,
                                   const void *bytes,
                                   size_t length,
                                   uint64_t most_macs,
                                   size_t most_arena);

// Number of elements of a sample; 0 if the model is not loaded.
size_t edgemix_input_length(const struct edgemix_model *model);

// Bytes of the arena that an assignment needs; 0 if the model is not loaded.
size_t edgemix_arena_length(const struct edgemix_model *model);

// Number of clusters; 0 if the model is not loaded.
size_t edgemix_n_clusters(const struct edgemix_model *model);

// Number of components of a mixture, classes of a softmax head, or autoencoders; 0 if the model is not loaded.
size_t edgemix_n_components(const struct edgemix_model *model);

// Multiply-accumulates of an assignment, and other steps that take as long; 0 if the model is not loaded.
uint64_t edgemix_macs(const struct edgemix_model *model);

// The model's name, which is in the model's bytes and does not end with a zero: `*length` is its length. Null if the model is
// not loaded.
const char *edgemix_name(const struct edgemix_model *model,
                         size_t *length);

// Assigns a sample of raw counts. Raw counts of all three integer types mean the same: `200` is `200`.
//
// `sample` has as many counts as the model takes, instant after instant, with the channels of an instant side by side.
// `arena` is at a multiple of 4 and has at least `edgemix_arena_length` bytes. Nothing in it needs to be kept between calls,
// so that models can share it; calls that run at once need an arena each.
//
// The caller ensures:
// `sample` points to `length` counts, `arena` to `arena_length` bytes that nobody else uses, and `found` to memory for the
// result.
edgemix_status edgemix_assign_u8(const struct edgemix_model *model,
                                 const uint8_t *sample,
                                 size_t length,
                                 void *arena,
                                 size_t arena_length,
                                 struct edgemix_assignment *found);

// As `edgemix_assign_u8`.
//
// The caller ensures:
// As for `edgemix_assign_u8`.
edgemix_status edgemix_assign_i8(const struct edgemix_model *model,
                                 const int8_t *sample,
                                 size_t length,
                                 void *arena,
                                 size_t arena_length,
                                 struct edgemix_assignment *found);

// As `edgemix_assign_u8`.
//
// The caller ensures:
// As for `edgemix_assign_u8`.
edgemix_status edgemix_assign_i16(const struct edgemix_model *model,
                                  const int16_t *sample,
                                  size_t length,
                                  void *arena,
                                  size_t arena_length,
                                  struct edgemix_assignment *found);

// Assigns a sample of values in the unit of the training data. They are rounded to raw counts first, so the result is that
// of `edgemix_assign_i16` for these.
//
// The caller ensures:
// As for `edgemix_assign_u8`.
edgemix_status edgemix_assign_float(const struct edgemix_model *model,
                                    const float *sample,
                                    size_t length,
                                    void *arena,
                                    size_t arena_length,
                                    struct edgemix_assignment *found);

// Assigns a window of a stream, without a copy of it.
//
// The caller ensures:
// `window` is one of `edgemix_stream_next`, and its stream was not used since. Otherwise as for `edgemix_assign_u8`.
edgemix_status edgemix_assign_window(const struct edgemix_model *model,
                                     const struct edgemix_window *window,
                                     void *arena,
                                     size_t arena_length,
                                     struct edgemix_assignment *found);

// The posterior probability of a cluster, from 0 to 1: how certain the model is of it among its clusters. It is 0 for a
// cluster that does not exist, and without a model or an assignment.
//
// The caller ensures:
// `found` is an assignment by this model, and its arena was not used since.
float edgemix_posterior(const struct edgemix_model *model, const struct edgemix_assignment *found, uint16_t cluster);

// The cluster of a sample at the level of the model's hierarchy that has `n_clusters` clusters; 65535 if there is no such level,
// and without a model or an assignment.
//
// The caller ensures:
// As for `edgemix_posterior`.
uint16_t edgemix_cluster_at_level(const struct edgemix_model *model,
                                  const struct edgemix_assignment *found,
                                  uint16_t n_clusters);

// The posterior probability of a cluster of that level, from 0 to 1. It is 0 if there is no such level or cluster, and without
// a model or an assignment.
//
// The caller ensures:
// As for `edgemix_posterior`.
float edgemix_posterior_at_level(const struct edgemix_model *model,
                                 const struct edgemix_assignment *found,
                                 uint16_t n_clusters,
                                 uint16_t cluster);

// The share of known samples that are at least as unusual, from 0 to 1; 1 without an assignment.
float edgemix_p_value(const struct edgemix_assignment *found);

// Whether the p-value is at most `rate`, the rate of false alarms, from 0 to 1.
bool edgemix_is_novel(const struct edgemix_assignment *found, float rate);

// Begins a stream of instants of `channels` counts. It keeps the last `length` counts, a window, in `ring`. The first window
// is complete after `length / channels` instants, and each other one `step` instants after the one before.
//
// The caller ensures:
// `ring` points to `length` counts that nobody else uses as long as the stream is used, and `stream` to memory for it.
edgemix_status edgemix_stream_init(struct edgemix_stream *stream,
                                   int16_t *ring,
                                   size_t length,
                                   size_t channels,
                                   size_t step);

// Takes counts from the beginning of a block until a window is complete, gives the window and returns true; `*block` and
// `*length` are then what is left of the block. Takes all of them and returns false if they do not suffice. A block may begin
// and end within an instant.
//
// The caller ensures:
// `*block` points to `*length` counts, and `stream` was filled by `edgemix_stream_init`.
bool edgemix_stream_next(struct edgemix_stream *stream,
                         const int16_t **block,
                         size_t *length,
                         struct edgemix_window *window);

// Says that `n_lost` instants were lost, and that the next count is the first of an instant. No window reaches across the
// gap.
edgemix_status edgemix_stream_gap(struct edgemix_stream *stream,
                                  uint64_t n_lost);

// Begins to watch the assignments of a model for drift. `clusters` has at least as many elements as the model has clusters.
// Without drift, the probability that the monitor ever raises an alarm is at most `1 / one_in`, provided that the samples
// are exchangeable: overlapping windows of a recording are not.
//
// The caller ensures:
// `clusters` points to `n_clusters` elements that nobody else uses as long as the monitor is used, and `drift` to memory for
// it.
edgemix_status edgemix_drift_init(struct edgemix_drift *drift,
                                  const struct edgemix_model *model,
                                  struct edgemix_cluster_drift *clusters,
                                  size_t n_clusters,
                                  uint32_t one_in);

// Sets the p-value up to which a sample counts as novel in the running shares, 0.01 by default, and the number of samples
// that the shares remember, about `2^log2_window`: 2^10 by default, at most 2^31.
edgemix_status edgemix_drift_running_shares(struct edgemix_drift *drift,
                                            float rate,
                                            uint32_t log2_window);

// Observes an assignment.
//
// The caller ensures:
// `drift` was filled by `edgemix_drift_init`.
edgemix_status edgemix_drift_observe(struct edgemix_drift *drift, const struct edgemix_assignment *found);

// Whether the monitor has ever raised an alarm. An alarm stays; `edgemix_drift_init` starts over.
bool edgemix_has_drifted(const struct edgemix_drift *drift);

// The present evidence of drift in units of 2^-16 bit; it may be negative.
int32_t edgemix_drift_evidence(const struct edgemix_drift *drift);

// The evidence that raises an alarm, in units of 2^-16 bit.
int32_t edgemix_drift_alarm(const struct edgemix_drift *drift);

// Number of observed assignments.
uint64_t edgemix_drift_seen(const struct edgemix_drift *drift);

// The running share of novel samples, from 0 to 1.
float edgemix_drift_novel_share(const struct edgemix_drift *drift);

// The running share of a cluster, from 0 to 1. It is 0 for a cluster that does not exist.
//
// The caller ensures:
// `drift` was filled by `edgemix_drift_init`.
float edgemix_drift_cluster_share(const struct edgemix_drift *drift, uint16_t cluster);

// Begins to smooth the clusters of successive windows. `clusters` has at least as many elements as the model has clusters. A
// model knows how its clusters follow each other if it was trained on windows of a recording; the windows must be as far
// apart as in training. The library has the functions of smoothers unless it was built without the feature `smoother`.
//
// The caller ensures:
// `clusters` points to `n_clusters` elements that nobody else uses as long as the smoother is used, and `smoother` to memory
// for it.
edgemix_status edgemix_smoother_init(struct edgemix_smoother *smoother,
                                     const struct edgemix_model *model,
                                     struct edgemix_cluster_belief *clusters,
                                     size_t n_clusters);

// Observes the assignment of the next window by the smoother's model, before its arena is used again. `*cluster` is then the
// most probable cluster, the first of several.
//
// The caller ensures:
// `smoother` was filled by `edgemix_smoother_init`, and `found` by an assignment with `model`, whose arena nothing has used
// since.
edgemix_status edgemix_smoother_observe(struct edgemix_smoother *smoother,
                                        const struct edgemix_model *model,
                                        const struct edgemix_assignment *found,
                                        uint16_t *cluster);

// A window that was not observed: lost, or too novel to say anything of the clusters.
//
// The caller ensures:
// `smoother` was filled by `edgemix_smoother_init`.
edgemix_status edgemix_smoother_miss(struct edgemix_smoother *smoother);

// Forgets all windows, as after a gap or a restart.
//
// The caller ensures:
// `smoother` was filled by `edgemix_smoother_init`.
edgemix_status edgemix_smoother_restart(struct edgemix_smoother *smoother);

// The probability of a cluster after the windows so far, from 0 to 1. It is 0 for a cluster that does not exist.
//
// The caller ensures:
// `smoother` was filled by `edgemix_smoother_init`.
float edgemix_smoother_probability(const struct edgemix_smoother *smoother, uint16_t cluster);

#if defined(EDGEMIX_SIGNATURE)
// Checks the signature of a model and then the model, and fills `model`: for models that arrive later. No byte is looked at
// beyond the header before it is known who signed it. `*counter` is then the model's counter. The library has this function
// if it was built with the feature `signature`, and the header if `EDGEMIX_SIGNATURE` is defined before it is included.
//
// `key` is the public key, 32 bytes, of whoever signs the models: the file that `edgemix keys` writes. A model whose counter is below
// `least_counter` is refused, and so is a model above the limits, as by `edgemix_load_within`.
//
// The caller ensures:
// As for `edgemix_load`, and `key` points to 32 bytes.
edgemix_status edgemix_load_signed(struct edgemix_model *model,
                                   const void *bytes,
                                   size_t length,
                                   const uint8_t *key,
                                   uint32_t least_counter,
                                   uint64_t most_macs,
                                   size_t most_arena,
                                   uint32_t *counter);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EDGEMIX_H */
