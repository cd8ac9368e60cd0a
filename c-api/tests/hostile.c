/* Reads models from standard input, each behind its length, and does with each what a firmware might. It is compiled with the
 * sanitizers of the C compiler. They watch this file and the memory functions that the library calls; the code of the library
 * is watched by pages that nobody may touch, directly before or behind a model and an arena. */
#define _GNU_SOURCE
#include <edgemix.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_BYTES ((size_t)1 << 20)
#define MOST_MACS ((uint64_t)1 << 22)
#define MOST_CLUSTERS 65536

/* Memory between two pages that nobody may touch. */
struct guarded {
    uint8_t *start, *end;
};

static struct guarded guard(size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *all = mmap(NULL, length + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, length, PROT_READ | PROT_WRITE) != 0) {
        perror("memory");
        exit(2);
    }
    return (struct guarded){all + page, all + page + length};
}

/* `length` bytes directly behind the first guard, or before the last one as far as the alignment allows. */
static uint8_t *place(struct guarded memory, size_t length, size_t alignment, bool at_the_end)
{
    if (!at_the_end)
        return memory.start;
    return memory.end - (length + alignment - 1) / alignment * alignment;
}

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static edgemix_model model;
static edgemix_cluster_drift clusters[MOST_CLUSTERS];
static struct guarded bytes_memory, arena_memory, sample_memory;

static void look_at(const edgemix_assignment *found, edgemix_drift *drift)
{
    size_t n = edgemix_n_clusters(&model);
    require(found->cluster < n, "a cluster does not exist");
    require(found->component < edgemix_n_components(&model), "a component does not exist");
    float total = 0;
    for (size_t k = 0; k <= n && k < 100; k++) {
        float posterior = edgemix_posterior(&model, found, (uint16_t)k);
        require(posterior >= 0 && posterior <= 1.01f, "a posterior is no probability");
        total += posterior;
    }
    require(total <= 1.01f, "posteriors add up to more than one");
    float p = edgemix_p_value(found);
    require(p >= 0 && p <= 1, "a p-value is no probability");
    if (drift != NULL)
        require(edgemix_drift_observe(drift, found) == EDGEMIX_OK, "an assignment is not observed");
}

static void run(bool at_the_end)
{
    size_t length = edgemix_input_length(&model), needed = edgemix_arena_length(&model);
    uint8_t *arena = place(arena_memory, needed, 4, at_the_end);
    edgemix_drift drift;
    bool has_drift = edgemix_drift_init(&drift, &model, clusters, MOST_CLUSTERS, 1000) == EDGEMIX_OK;
    edgemix_assignment found;
    int16_t *wide = (int16_t *)place(sample_memory, 2 * length, 2, at_the_end);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < length; i++)
            wide[i] = round == 0 ? INT16_MIN : (int16_t)(i * 40503u);
        edgemix_status status = edgemix_assign_i16(&model, wide, length, arena, needed, &found);
        require(status == EDGEMIX_OK, edgemix_status_text(status));
        look_at(&found, has_drift ? &drift : NULL);
    }
    edgemix_window window = {wide, length / 3, wide + length / 3, length - length / 3, 0};
    require(edgemix_assign_window(&model, &window, arena, needed, &found) == EDGEMIX_OK, "a window is refused");
    require(edgemix_assign_i16(&model, wide, length, arena, needed - 4, &found) != EDGEMIX_OK || needed == 0,
            "an arena that is too short is accepted");
    uint8_t *narrow = place(sample_memory, length, 1, at_the_end);
    for (size_t i = 0; i < length; i++)
        narrow[i] = (uint8_t)(i * 151u);
    require(edgemix_assign_u8(&model, narrow, length, arena, needed, &found) == EDGEMIX_OK, "u8 is refused");
    require(edgemix_assign_i8(&model, (int8_t *)narrow, length, arena, needed, &found) == EDGEMIX_OK, "i8 is refused");
    float *values = (float *)place(sample_memory, 4 * length, 4, at_the_end);
    for (size_t i = 0; i < length; i++)
        values[i] = (float)(i * 2654435761u % 1000u) * (i % 7 == 0 ? 1e30f : 0.01f);
    require(edgemix_assign_float(&model, values, length, arena, needed, &found) == EDGEMIX_OK, "floats are refused");
    look_at(&found, NULL);
    if (has_drift) {
        (void)edgemix_has_drifted(&drift);
        (void)edgemix_drift_evidence(&drift);
        for (uint16_t k = 0; k < 4; k++)
            require(edgemix_drift_cluster_share(&drift, k) <= 1, "a share is above one");
    }
}

int main(void)
{
    unsigned long n_files = 0, n_models = 0, n_beyond = 0;
    uint32_t length;
    bytes_memory = guard(MOST_BYTES);
    arena_memory = guard(MOST_BYTES);
    sample_memory = guard(4 * MOST_BYTES);
    while (fread(&length, 4, 1, stdin) == 1) {
        bool at_the_end = n_files % 2 == 0;
        require(length <= MOST_BYTES, "a file is longer than it may be");
        uint8_t *bytes = place(bytes_memory, length, 16, at_the_end);
        require(fread(bytes, 1, length, stdin) == length, "the last file is truncated");
        n_files++;
        edgemix_status any = edgemix_load(&model, bytes, length);
        edgemix_status status = edgemix_load_within(&model, bytes, length, MOST_MACS, MOST_BYTES);
        require(strlen(edgemix_status_text(any)) > 0 && strlen(edgemix_fault_text(any)) < 200, "a status has no text");
        if (status == EDGEMIX_OK) {
            require(any == EDGEMIX_OK, "limits make a file a model");
            run(at_the_end);
            n_models++;
        } else {
            require(edgemix_input_length(&model) == 0, "a file that was refused is a model");
            n_beyond += any == EDGEMIX_OK;
        }
    }
    printf("%lu files, %lu of them models that ran, %lu above the limits; the others were refused\n", n_files, n_models,
           n_beyond);
    return n_models > 0 ? 0 : 1;
}
