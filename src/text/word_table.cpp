#include "src/text/word_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace unroll::text {

namespace {

// The pieces of a key overlap, and meet only in this order of bytes.
static_assert(std::endian::native == std::endian::little);

constexpr std::size_t longest_in_key = 7;
constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15;

template <class T>
std::uint64_t load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Up to 7 bytes as a number, the first one lowest; nothing beyond them is read.
std::uint64_t packed(const char* from, std::size_t length) noexcept {
  if (length >= 4) {
    return load<std::uint32_t>(from) | load<std::uint32_t>(from + length - 4) << 8 * (length - 4);
  }
  if (length == 0) return 0;
  const std::size_t middle = length / 2, last = length - 1;
  return load<std::uint8_t>(from) | load<std::uint8_t>(from + middle) << 8 * middle |
         load<std::uint8_t>(from + last) << 8 * last;
}

constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value *= multiplier;
  return value ^ value >> 32;
}

/// Of more than 7 bytes.
std::uint64_t hash_of(std::string_view word) noexcept {
  std::uint64_t hash = word.size();
  const char* at = word.data();
  std::size_t left = word.size();
  for (; left > 8; at += 8, left -= 8) hash = mixed(hash ^ load<std::uint64_t>(at));
  return mixed(mixed(hash ^ load<std::uint64_t>(at + left - 8)));
}

/// Words of up to 7 bytes have keys of their own; the highest byte is their length and 1. Of longer
/// ones it is 255, and the rest a hash.
std::uint64_t key_of(std::string_view word) noexcept {
  const std::size_t length = word.size();
  if (length <= longest_in_key) return packed(word.data(), length) | (length + 1) << 56;
  return hash_of(word) | std::uint64_t{255} << 56;
}

/// Of words of more than 7 bytes: most are compared by two loads, which may overlap.
bool same(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  std::size_t at = 0;
  for (; at + 8 < a.size(); at += 8) {
    if (load<std::uint64_t>(a.data() + at) != load<std::uint64_t>(b.data() + at)) return false;
  }
  const std::size_t last = a.size() - 8;
  return load<std::uint64_t>(a.data() + last) == load<std::uint64_t>(b.data() + last);
}

}  // namespace

inline std::size_t WordTable::home_of(std::uint64_t key) const noexcept {
  return static_cast<std::size_t>(mixed(key) * multiplier >> shift_);
}

inline std::size_t WordTable::slot_of(std::string_view word, Search search) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = search.home;
  for (; slots_[i].key != 0; i = (i + 1) & mask) {
    if (slots_[i].key != search.key) continue;
    if (word.size() <= longest_in_key || same((*this)[slots_[i].word], word)) break;
  }
  return i;
}

inline void WordTable::begin(std::span<const std::string_view> words,
                             Searches& searches) const noexcept {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t key = key_of(words[i]);
    searches[i] = {key, home_of(key)};
    __builtin_prefetch(&slots_[searches[i].home]);
  }
}

void WordTable::find(std::span<const std::string_view> words,
                     std::uint32_t* numbers) const noexcept {
  if (slots_.empty()) {
    std::fill_n(numbers, words.size(), none);
    return;
  }
  Searches searches;
  begin(words, searches);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Slot& slot = slots_[slot_of(words[i], searches[i])];
    numbers[i] = slot.key == 0 ? none : slot.word;
  }
}

void WordTable::intern(std::span<const std::string_view> words, std::uint32_t* numbers) {
  if (3 * (words_.size() + words.size()) >= 2 * slots_.size()) grow();
  Searches searches;
  begin(words, searches);
  for (std::size_t i = 0; i < words.size(); ++i) {
    Slot& slot = slots_[slot_of(words[i], searches[i])];
    if (slot.key == 0) {
      slot = {searches[i].key, size()};
      words_.push_back({letters_.size(), words[i].size()});
      letters_.append(words[i]);
    }
    numbers[i] = slot.word;
  }
}

std::optional<std::uint32_t> WordTable::find(std::string_view word) const noexcept {
  std::uint32_t number = none;
  find({&word, 1}, &number);
  return number == none ? std::nullopt : std::optional(number);
}

std::uint32_t WordTable::intern(std::string_view word) {
  std::uint32_t number = none;
  intern({&word, 1}, &number);
  return number;
}

void WordTable::grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_ = std::vector<Slot>(old.empty() ? 4 * batch : 2 * old.size());
  shift_ = 64 - std::countr_zero(slots_.size());
  for (const Slot& slot : old) {
    if (slot.key == 0) continue;
    std::size_t i = home_of(slot.key);
    while (slots_[i].key != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

}  // namespace unroll::text
