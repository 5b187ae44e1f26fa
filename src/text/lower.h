// What Unicode says of letters: lower case for whole texts, and what words are made of.
#pragma once

#include <string>
#include <string_view>

namespace unroll::text {

/// Makes `result` the text in lower case: the full mapping (U+0130 becomes two characters) with
/// the final sigma, for no particular language. Requires: valid UTF-8.
/// Source: The Unicode Standard 15.0, section 3.13, rule R2 and table 3-17.
void lower_case(std::string_view text, std::string& result);

/// Letters, the marks on them, and digits of any script.
bool part_of_word(char32_t code) noexcept;

}  // namespace unroll::text
