// Version: which unroll this is, and how it was built.
#pragma once

#include <span>
#include <string_view>

// The one place that knows the number: CMake reads these lines.
#define UNROLL_VERSION_MAJOR 0
#define UNROLL_VERSION_MINOR 1
#define UNROLL_VERSION_PATCH 0

namespace unroll {

/// A part of unroll that a build may leave out.
struct OptionalPart {
  std::string_view name;
  bool built_in;
  std::string_view purpose;
};

/// The version of the library that is linked, "0.1.0"; the macros give that of the headers.
std::string_view version() noexcept;
/// The compiler that built the library, "GCC 12.2.0".
std::string_view compiler() noexcept;
/// What this build could have left out, in order of name.
std::span<const OptionalPart> optional_parts() noexcept;

}  // namespace unroll
