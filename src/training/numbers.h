// Numbers in the texts of refusals.
#pragma once

#include <string>

namespace unroll::training {

/// "1.5", "0.25", "3": without zeros at the end.
inline std::string short_number(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace unroll::training
