// The rig of the layers' tests serves this room's too.
#include "tests/layers/rig.cpp"  // NOLINT
