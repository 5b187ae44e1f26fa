// What a refusal says.
#pragma once

#include <string>

#include "unroll/error.h"

namespace unroll {

/// What the Error says that a call throws, after its kind ("value: ..."); "not refused" without
/// one.
template <class F>
std::string refused_with_kind(F call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "not refused";
}

/// The same without its kind.
template <class F>
std::string refused(F call) {
  const std::string said = refused_with_kind(call);
  return said == "not refused" ? said : said.substr(said.find(": ") + 2);
}

}  // namespace unroll
