#include "src/tasks/outlet.h"

#include <algorithm>

namespace unroll::tasks {

namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

Index characters_in(std::string_view text) noexcept {
  return static_cast<Index>(std::count_if(text.begin(), text.end(), begins_character));
}

std::size_t place_of_character(std::string_view text, Index character) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && character-- == 0) return i;
  }
  return text.size();
}

Outlet::Outlet(Index length, std::vector<std::string> stops, Receiver receiver)
    : length_(length), stops_(std::move(stops)), receiver_(std::move(receiver)) {}

bool Outlet::add(std::string_view text) {
  if (!ended_.empty()) return false;
  held_ += text;
  std::size_t stop = std::string::npos;
  for (const std::string& word : stops_) stop = std::min(stop, held_.find(word));
  if (stop != std::string::npos) {
    let_through(stop);
    if (ended_.empty()) ended_ = "stop";
  } else {
    let_through(beginning_of_stop());
  }
  return ended_.empty();
}

void Outlet::finish() {
  if (ended_.empty()) let_through(held_.size());
}

/// Where the longest end of held_ begins that a stop begins with.
std::size_t Outlet::beginning_of_stop() const {
  std::size_t longest = 0;
  for (const std::string& word : stops_) {
    for (std::size_t size = std::min(word.size() - 1, held_.size()); size > longest; --size) {
      if (held_.ends_with(std::string_view(word).substr(0, size))) longest = size;
    }
  }
  return held_.size() - longest;
}

void Outlet::let_through(std::size_t count) {
  const std::string_view now = std::string_view(held_).substr(
      0, std::min(count, place_of_character(held_, length_ - characters_)));
  if (!now.empty()) {
    characters_ += characters_in(now);
    text_ += now;
    if (receiver_ && !receiver_(now)) ended_ = "caller";
    held_.erase(0, now.size());
  }
  if (ended_.empty() && characters_ >= length_) ended_ = "length";
}

}  // namespace unroll::tasks
