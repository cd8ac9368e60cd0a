/* The least that a firmware calls, without a C library: what is linked beside this file is the Edgemix library and what it
 * needs. */
#include <edgemix.h>

#include "models.h"

static edgemix_model model;
EDGEMIX_ALIGNED static uint8_t arena[MODELS_ARENA];
volatile uint8_t sensor[64];
volatile unsigned result;

void reset(void)
{
    static uint8_t sample[64];
    edgemix_assignment found;
    if (edgemix_load(&model, digits, sizeof digits) != EDGEMIX_OK)
        return;
    for (int i = 0; i < 64; i++)
        sample[i] = sensor[i];
    if (edgemix_assign_u8(&model, sample, sizeof sample, arena, sizeof arena, &found) != EDGEMIX_OK)
        return;
    if (!edgemix_is_novel(&found, 0.01f) && edgemix_posterior(&model, &found, found.cluster) > 0.5f)
        result = found.cluster;
#if defined(REACHABLE_PANIC)
    extern uint8_t edgemix_panic(size_t index);
    result = edgemix_panic(sensor[0]);
#endif
}
