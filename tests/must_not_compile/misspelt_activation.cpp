// expect: no activation has this name
#include "unroll/activation.h"

int main() {
#ifdef CORRECTED
  unroll::Activation activation = "relu";
#else
  unroll::Activation activation = "rleu";
#endif
  return activation == unroll::ActivationKind::relu ? 0 : 1;
}
