// A short list that is a plain value: options that hold one can be copied, and be constants.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

namespace unroll {

namespace detail {
[[noreturn]] void refuse_long_list(std::size_t most);
}

/// At most `most` values, in place.
template <class T, std::size_t most>
class ShortList {
 public:
  constexpr ShortList() = default;
  constexpr ShortList(T one) { push_back(one); }
  /// Throws: Error (value) for more than `most`.
  constexpr ShortList(std::initializer_list<T> values) {
    for (const T& value : values) push_back(value);
  }
  constexpr void push_back(const T& value) {
    if (size_ == most) detail::refuse_long_list(most);
    values_[size_++] = value;
  }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr const T& operator[](std::size_t i) const noexcept { return values_[i]; }
  constexpr const T* begin() const noexcept { return values_.data(); }
  constexpr const T* end() const noexcept { return values_.data() + size_; }

 private:
  std::array<T, most> values_{};
  std::size_t size_ = 0;
};

}  // namespace unroll
