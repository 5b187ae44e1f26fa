// A name that is known only at run time goes through parse_activation, which can refuse it.
// expect: constant expression
#include "unroll/activation.h"

int main(int, char** arguments) {
  const char* name = arguments[0];
#ifdef CORRECTED
  unroll::Activation activation = unroll::parse_activation(name);
#else
  unroll::Activation activation = name;
#endif
  return activation == unroll::ActivationKind::relu ? 0 : 1;
}
