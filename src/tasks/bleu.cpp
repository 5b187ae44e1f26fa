#include "unroll/bleu.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }

/// ASCII punctuation and symbols, without ' - , and .
bool stands_alone(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

std::string apart(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += stands_alone(c) ? std::string{' ', c, ' '} : std::string{c};
  }
  return result;
}

/// Wherever two neighbours match: `write` appends them; the search goes on behind both.
template <class Matches, class Write>
std::string rewritten(const std::string& text, Matches matches, Write write) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      write(result, text[i], text[i + 1]);
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

bool is_blank(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words(1);
  for (std::size_t at = 0; at < text.size();) {
    const text::Decoded character = text::decode(text, at);
    if (!is_blank(character.code)) {
      words.back() += text.substr(at, character.length);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
    at += character.length;
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

using Counts = std::map<std::vector<std::string>, Index>;

Counts counts_of(const std::vector<std::string>& words, std::size_t n) {
  Counts counts;
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
    ++counts[{first, first + static_cast<std::ptrdiff_t>(n)}];
  }
  return counts;
}

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view text) {
  std::string line(text);
  replace_all(line, "<skipped>", "");
  replace_all(line, "-\n", "");
  replace_all(line, "\n", " ");
  replace_all(line, "&quot;", "\"");
  replace_all(line, "&amp;", "&");
  replace_all(line, "&lt;", "<");
  replace_all(line, "&gt;", ">");
  line = apart(" " + line + " ");
  line = rewritten(
      line, [](char a, char b) { return !is_digit(a) && is_stop(b); },
      [](std::string& out, char a, char b) {
        out += {a, ' ', b, ' '};
      });
  line = rewritten(
      line, [](char a, char b) { return is_stop(a) && !is_digit(b); },
      [](std::string& out, char a, char b) {
        out += {' ', a, ' ', b};
      });
  line = rewritten(
      line, [](char a, char b) { return is_digit(a) && b == '-'; },
      [](std::string& out, char a, char b) {
        out += {a, ' ', b, ' '};
      });
  return split(line);
}

Bleu bleu(const std::vector<std::string>& texts, const std::vector<std::string>& references) {
  if (texts.size() != references.size()) {
    throw Error(ErrorKind::value, "bleu: lists of different lengths",
                {.got = std::to_string(texts.size()) + " texts, " +
                        std::to_string(references.size()) + " references"});
  }
  Bleu result;
  std::array<Index, 4> right{}, all{};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<std::string> words = tokenize_13a(texts[i]);
    const std::vector<std::string> wanted = tokenize_13a(references[i]);
    result.length += static_cast<Index>(words.size());
    result.reference_length += static_cast<Index>(wanted.size());
    for (std::size_t n = 1; n <= 4; ++n) {
      const Counts truth = counts_of(wanted, n);
      for (const auto& [words_in_a_row, count] : counts_of(words, n)) {
        const auto found = truth.find(words_in_a_row);
        all[n - 1] += count;
        if (found != truth.end()) right[n - 1] += std::min(count, found->second);
      }
    }
  }
  if (result.length == 0 || right[0] == 0) return result;
  result.brevity_penalty = result.length >= result.reference_length
                               ? 1
                               : std::exp(1 - static_cast<double>(result.reference_length) /
                                                  static_cast<double>(result.length));
  double logs = 0, smoothing = 1;
  for (std::size_t n = 0; n < 4; ++n) {
    if (all[n] == 0) return result;  // no four tokens in a row anywhere
    double matches = static_cast<double>(right[n]);
    if (right[n] == 0) matches = 1 / (smoothing *= 2);
    result.precisions[n] = 100 * matches / static_cast<double>(all[n]);
    logs += std::log(result.precisions[n]) / 4;
  }
  result.score = result.brevity_penalty * std::exp(logs);
  return result;
}

}  // namespace unroll
