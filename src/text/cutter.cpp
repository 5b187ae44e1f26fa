#include "src/text/cutter.h"

#include <algorithm>

#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll::text {

Cutter::Cutter(std::string_view filters, std::string_view separator) : separator_(separator) {
  if (separator.empty()) {
    throw Error(ErrorKind::value, "split is empty",
                {.want = "what stands between words, such as \" \"",
                 .hint = "for single characters: Tokenizer with .char_level = true"});
  }
  for (std::size_t at = 0; at < filters.size();) {
    const Decoded character = decode(filters, at);
    filters_.push_back(character.code);
    at += character.length;
  }
  std::ranges::sort(filters_);
  by_bytes_ = separator.size() == 1 && ascii_run(filters, 0) == filters.size();
  if (!by_bytes_) return;
  for (const char c : filters) is_boundary_[static_cast<unsigned char>(c)] = true;
  is_boundary_[static_cast<unsigned char>(separator[0])] = true;
}

void Cutter::filter(std::string_view text, std::string& result) const {
  result.clear();
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    if (std::ranges::binary_search(filters_, character.code)) {
      result += separator_;
    } else {
      result.append(text, at, character.length);
    }
    at += character.length;
  }
}

}  // namespace unroll::text
