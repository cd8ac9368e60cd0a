/* Prints all that the library finds, so that what a chip prints can be compared with what the host prints: assignments of
 * 600 samples by a model of digits, windows of a stream by a model with a spectrum, a monitor of drift, and a smoother. */
#include <edgemix.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

EDGEMIX_ALIGNED static uint8_t arena[MODELS_ARENA];
static uint32_t state = 1;

/* Pseudo-random numbers (Marsaglia, "Xorshift RNGs", 2003). */
static uint32_t next(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void check(edgemix_status status, const char *what)
{
    if (status != EDGEMIX_OK) {
        printf("%s: %s: %s\n", what, edgemix_status_text(status), edgemix_fault_text(status));
        exit(1);
    }
}

static uint32_t bits(float value)
{
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

static void print(const char *what, const edgemix_model *model, const edgemix_assignment *found)
{
    printf("%s %u %u %" PRId32 " %u %08" PRIx32 " %08" PRIx32 " %d\n", what, found->cluster, found->component,
           found->log_density, found->novelty, bits(edgemix_posterior(model, found, found->cluster)),
           bits(edgemix_posterior(model, found, 0)), edgemix_is_novel(found, 0.01f));
}

static void load(edgemix_model *model, const uint8_t *bytes, size_t length)
{
    check(edgemix_load(model, bytes, length), "load");
    size_t name_length;
    const char *name = edgemix_name(model, &name_length);
    printf("%.*s: %u clusters, %u bytes of arena\n", (int)name_length, name, (unsigned)edgemix_n_clusters(model),
           (unsigned)edgemix_arena_length(model));
}

/* Digits with more and more noise, in every type. */
static void assign_digits(void)
{
    static edgemix_model model;
    static uint8_t sample[64];
    static int16_t wide[64];
    static float values[64];
    load(&model, digits, sizeof digits);
    for (int i = 0; i < 600; i++) {
        for (int k = 0; k < 64; k++) {
            int noise = (int)(next() % 17) * i / 600;
            sample[k] = (uint8_t)((digits_samples[(i % 16) * 64 + k] + noise) % 17);
            wide[k] = sample[k];
            values[k] = (float)sample[k];
        }
        edgemix_assignment found, as_i8, as_i16, as_float;
        check(edgemix_assign_i8(&model, (const int8_t *)sample, 64, arena, sizeof arena, &as_i8), "int8_t");
        check(edgemix_assign_i16(&model, wide, 64, arena, sizeof arena, &as_i16), "int16_t");
        check(edgemix_assign_float(&model, values, 64, arena, sizeof arena, &as_float), "float");
        check(edgemix_assign_u8(&model, sample, 64, arena, sizeof arena, &found), "uint8_t");
        if (as_i8.log_density != found.log_density || as_i16.log_density != found.log_density ||
            as_float.log_density != found.log_density) {
            printf("the types disagree\n");
            exit(1);
        }
        print("digit", &model, &found);
    }
}

/* A stream in blocks of any length, with a gap. */
static void assign_windows(void)
{
    static edgemix_model model;
    static int16_t ring[SPECTRUM_INPUT_LENGTH], block[40];
    load(&model, spectrum, sizeof spectrum);
    edgemix_stream stream;
    size_t length = edgemix_input_length(&model);
    check(edgemix_stream_init(&stream, ring, length, SPECTRUM_CHANNELS, 3), "stream");
    for (int i = 0; i < 400; i++) {
        size_t left = next() % 40;
        for (size_t k = 0; k < left; k++)
            block[k] = (int16_t)(next() >> (i % 16));
        if (i == 200)
            check(edgemix_stream_gap(&stream, 12), "gap");
        const int16_t *counts = block;
        edgemix_window window;
        while (edgemix_stream_next(&stream, &counts, &left, &window)) {
            edgemix_assignment found;
            check(edgemix_assign_window(&model, &window, arena, sizeof arena, &found), "window");
            printf("%u ", (unsigned)window.start);
            print("window", &model, &found);
        }
    }
}

/* Samples that are usual at first and then novel. */
static void watch(void)
{
    static edgemix_model model;
    static edgemix_cluster_drift clusters[HELD_OUT_CLUSTERS];
    static int16_t sample[HELD_OUT_INPUT_LENGTH];
    load(&model, held_out, sizeof held_out);
    edgemix_drift drift;
    check(edgemix_drift_init(&drift, &model, clusters, HELD_OUT_CLUSTERS, 100), "drift");
    for (int i = 0; i < 300; i++) {
        for (size_t k = 0; k < HELD_OUT_INPUT_LENGTH; k++)
            sample[k] = (int16_t)(next() % 256);
        edgemix_assignment found;
        check(edgemix_assign_i16(&model, sample, HELD_OUT_INPUT_LENGTH, arena, sizeof arena, &found), "held out");
        found.novelty = (uint16_t)(i < 150 ? next() : next() % 300);
        check(edgemix_drift_observe(&drift, &found), "observe");
        printf("drift %d %" PRId32 " %08" PRIx32 " %08" PRIx32 "\n", edgemix_has_drifted(&drift),
               edgemix_drift_evidence(&drift), bits(edgemix_drift_novel_share(&drift)),
               bits(edgemix_drift_cluster_share(&drift, 1)));
    }
}

/* Windows of which some are lost, with a gap. */
static void smooth(void)
{
    static edgemix_model model;
    static edgemix_cluster_belief clusters[TRANSITIONS_CLUSTERS];
    static int16_t sample[TRANSITIONS_INPUT_LENGTH];
    load(&model, transitions, sizeof transitions);
    edgemix_smoother smoother;
    check(edgemix_smoother_init(&smoother, &model, clusters, TRANSITIONS_CLUSTERS), "smoother");
    for (int i = 0; i < 300; i++) {
        for (size_t k = 0; k < TRANSITIONS_INPUT_LENGTH; k++)
            sample[k] = (int16_t)(next() % 256);
        edgemix_assignment found;
        uint16_t cluster;
        check(edgemix_assign_i16(&model, sample, TRANSITIONS_INPUT_LENGTH, arena, sizeof arena, &found), "transitions");
        if (i % 40 == 39)
            check(edgemix_smoother_miss(&smoother), "miss");
        if (i == 200)
            check(edgemix_smoother_restart(&smoother), "restart");
        check(edgemix_smoother_observe(&smoother, &model, &found, &cluster), "observe");
        printf("smoothed %u %u %08" PRIx32 "\n", found.cluster, cluster,
               bits(edgemix_smoother_probability(&smoother, cluster)));
    }
}

int main(void)
{
    assign_digits();
    assign_windows();
    watch();
    smooth();
    fflush(stdout);
    return 0;
}
