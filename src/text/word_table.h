// Numbers for words: a hash table whose texts lie in one string.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::text {

/// Numbers words from 0 as they are added; none is ever taken out. Copies are deep.
///
/// Looking words up is what encoding a text costs, and that is cache misses: several words are
/// looked up at once, so that their misses overlap, and a word of up to 7 bytes, as most are, is
/// compared inside the slot; longer ones by their hash, and only then by their letters.
class WordTable {
 public:
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(words_.size()); }
  std::string_view operator[](std::uint32_t i) const noexcept {
    return {letters_.data() + words_[i].offset, words_[i].length};
  }

  /// So many words are best looked up at once; more may not be.
  static constexpr std::size_t batch = 32;
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  /// The words' numbers, or none. Requires: at most `batch` words, and as many numbers.
  void find(std::span<const std::string_view> words, std::uint32_t* numbers) const noexcept;
  /// Adds those that are not there.
  void intern(std::span<const std::string_view> words, std::uint32_t* numbers);
  std::optional<std::uint32_t> find(std::string_view word) const noexcept;
  std::uint32_t intern(std::string_view word);

 private:
  struct Word {
    std::size_t offset, length;  ///< in the letters
  };
  /// The key is never 0 but in empty slots.
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t word = 0;
  };

  /// A key, and where a search for it begins.
  struct Search {
    std::uint64_t key;
    std::size_t home;
  };
  std::size_t home_of(std::uint64_t key) const noexcept;
  /// The slot that has the word or could take it. Requires: there are slots.
  std::size_t slot_of(std::string_view word, Search search) const noexcept;
  using Searches = std::array<Search, batch>;
  /// The slots are on their way to the cache.
  void begin(std::span<const std::string_view> words, Searches& searches) const noexcept;
  void grow();

  std::string letters_;
  std::vector<Word> words_;
  std::vector<Slot> slots_;  ///< a power of two, at most two thirds of them taken
  int shift_ = 64;           ///< 64 less the power
};

}  // namespace unroll::text
