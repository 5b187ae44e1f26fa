// Clang only warns.
// expect: designator order
// only: GNU
#include "unroll/layers.h"

int main() {
#ifdef CORRECTED
  unroll::Dense layer(5, {.activation = "relu", .use_bias = false});
#else
  unroll::Dense layer(5, {.use_bias = false, .activation = "relu"});
#endif
}
