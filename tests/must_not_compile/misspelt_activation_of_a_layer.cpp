// expect: no activation has this name
#include "unroll/layers.h"

int main() {
#ifdef CORRECTED
  unroll::Dense layer(5, {.activation = "relu"});
#else
  unroll::Dense layer(5, {.activation = "rleu"});
#endif
}
