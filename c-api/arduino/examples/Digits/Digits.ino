// Assigns samples of the model that `edgemix export RUN --c FOLDER --samples 20` wrote: copy model.c, model.h, samples.c and
// samples.h beside this file.
#include <edgemix.h>

#include "samples.h"

static edgemix_model model;
EDGEMIX_ALIGNED static uint8_t arena[EDGEMIX_ARENA];

void setup() {
  Serial.begin(115200);
  edgemix_status status = edgemix_load(&model, edgemix_model_bytes, sizeof edgemix_model_bytes);
  if (status != EDGEMIX_OK) {
    Serial.println(edgemix_status_text(status));
    Serial.println(edgemix_fault_text(status));
  }
}

void loop() {
  for (int i = 0; i < EDGEMIX_SAMPLES; i++) {
    edgemix_assignment found;
    edgemix_status status = edgemix_assign_i16(&model, edgemix_samples[i], EDGEMIX_INPUT_LENGTH, arena, sizeof arena, &found);
    if (status != EDGEMIX_OK) {
      Serial.println(edgemix_status_text(status));
    } else {
      Serial.print(found.cluster);
      Serial.println(found.cluster == edgemix_sample_clusters[i] ? ", as on the host" : ", unlike the host");
    }
  }
  delay(1000);
}
