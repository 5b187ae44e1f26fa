// A completer as a bundle.
#pragma once

#include <span>
#include <string>

#include "unroll/complete.h"

namespace unroll::apps {

/// `learnt`: the ids that the n-gram counts.
void save_completer(const Completer& completer, std::span<const std::int32_t> learnt,
                    const std::string& path);
/// Throws: as load_bundle; Error (format) for a bundle of another task.
Completer load_completer(const std::string& path);

}  // namespace unroll::apps
