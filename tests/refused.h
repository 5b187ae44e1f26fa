// What a refusal says.
#pragma once

#include <string>

#include "unroll/error.h"

namespace unroll {

template <class F>
std::string refused(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "not refused";
}

}  // namespace unroll
