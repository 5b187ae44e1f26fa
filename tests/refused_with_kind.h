// What a call that must be refused says.
#pragma once

#include <string>

#include "unroll/error.h"

namespace unroll {

/// "kind: text" of the Error that a call throws; "not refused" where it throws none.
template <class F>
std::string refused(F call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "not refused";
}

}  // namespace unroll
