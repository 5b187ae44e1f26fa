// Refusals of options, in one voice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "unroll/index.h"

namespace unroll::tasks {

/// Throws: Error (value) "WHO: NAME is out of range" unless least <= value <= most.
void check_count(const char* who, const char* name, Index value, Index least, Index most);
/// Throws: the same unless `inside`; `want` says what would be.
void check_number(const char* who, const char* name, double value, bool inside, const char* want);
/// Throws: Error (value) "WHO: no such NAME" that lists the choices.
void check_choice(const char* who, const char* name, const std::string& value,
                  const std::vector<std::string>& choices);

/// Throws: Error (value) unless every id is in 0 .. vocabulary - 1.
void check_ids(const char* who, std::span<const std::int32_t> ids, Index vocabulary);

}  // namespace unroll::tasks
