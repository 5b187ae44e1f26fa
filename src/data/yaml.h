// The part of YAML that corpora are written in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll::data {

/// The lists of texts in a list that is the entry `key` of a map. Entries of the inner lists that
/// are no texts are left out.
/// Throws: Error (format) for what is not YAML or has no such entry; Error (unsupported) where
///   unroll was built without yaml-cpp.
std::vector<std::vector<std::string>> yaml_lists(std::string_view bytes, const std::string& key,
                                                 const std::string& name);

}  // namespace unroll::data
