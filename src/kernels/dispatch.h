// How a function reaches its copy for the chosen instruction set; included under HWY_ONCE.
#pragma once

#include <hwy/highway.h>

#include <type_traits>

// Calls Name##Float or Name##Double of the chosen instruction set, as the type T of the caller is.
#define UNROLL_DISPATCH(Name, ...)                   \
  if constexpr (std::is_same_v<T, float>) {          \
    HWY_DYNAMIC_DISPATCH(Name##Float)(__VA_ARGS__);  \
  } else {                                           \
    HWY_DYNAMIC_DISPATCH(Name##Double)(__VA_ARGS__); \
  }
