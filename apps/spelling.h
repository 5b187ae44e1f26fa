// Guessing at misspelt words.
#pragma once

#include <string>
#include <vector>

namespace unroll::apps {

/// The known word nearest to a misspelt one; "" where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace unroll::apps
