// Texts that look like data: what the programs that measure loading read.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace unroll::bench {

/// A CSV text of dates and four prices, at least so large.
inline std::string prices(std::size_t bytes) {
  std::string text = "DATE,OPEN,HIGH,LOW,CLOSE\n";
  for (unsigned i = 0; text.size() < bytes; ++i) {
    char row[80];
    std::snprintf(row, sizeof(row), "%04u-%02u-%02u,%u.%06u,%u.%06u,%u.%06u,%u.%06u\n",
                  1990 + i % 35, 1 + i % 12, 1 + i % 28, 10 + i % 70, i * 7 % 1000000, 10 + i % 60,
                  i * 11 % 1000000, 10 + i % 50, i * 13 % 1000000, 10 + i % 40, i * 17 % 1000000);
    text += row;
  }
  return text;
}

/// Texts of 230 words of 2 to 11 letters whose ranks follow Zipf's law.
inline std::vector<std::string> english(int count) {
  std::vector<std::string> texts;
  unsigned long long state = 1;
  const auto next = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 11) * 0x1p-53;
  };
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (int k = 0; k < 230; ++k) {
      auto rank = static_cast<unsigned>(std::pow(90000.0, next()));
      for (unsigned letters = 2 + rank % 10; letters > 0; --letters, rank /= 5) {
        text += static_cast<char>((text.empty() ? 'A' : 'a') + rank % 26);
      }
      text += k % 9 == 8 ? ", " : " ";
    }
    texts.push_back(text);
  }
  return texts;
}

}  // namespace unroll::bench
