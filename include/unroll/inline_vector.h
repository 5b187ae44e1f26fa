// A vector whose first elements live inside it: short lists cost no allocation.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <vector>

#include "unroll/index.h"

namespace unroll::base {

/// Up to N elements in place, more on the heap. For plain values that are cheap to copy.
template <class T, std::size_t N>
class InlineVector {
 public:
  InlineVector() = default;
  InlineVector(std::initializer_list<T> values) {
    for (const T& value : values) push_back(value);
  }

  void push_back(const T& value) {
    if (size_ < N) {
      inside_[size_] = value;
    } else {
      if (size_ == N) outside_.assign(inside_.begin(), inside_.end());
      outside_.push_back(value);
    }
    ++size_;
  }
  void clear() noexcept {
    size_ = 0;
    outside_.clear();
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() noexcept { return size_ <= N ? inside_.data() : outside_.data(); }
  const T* data() const noexcept { return size_ <= N ? inside_.data() : outside_.data(); }
  T& operator[](std::size_t i) noexcept { return data()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  operator std::span<const T>() const noexcept { return {data(), size_}; }

 private:
  std::size_t size_ = 0;
  std::array<T, N> inside_{};
  std::vector<T> outside_;
};

}  // namespace unroll::base
