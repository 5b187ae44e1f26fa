// A packed copy of weights, refreshed when they change.
#pragma once

#include <memory>

#include "src/base/aligned.h"
#include "unroll/tensor.h"

namespace unroll {

/// Memory of a packed copy and what it was made from. Layers refresh it in prepare(), before lanes
/// start; in a call it is only read.
class PackedCopy {
 public:
  /// Calls fill(memory) with room for `bytes` if anything has changed since the last time.
  template <class F>
  void refresh(Index version, DType dtype, bool training, Index bytes, F fill) {
    if (version == version_ && dtype == dtype_ && (training_ || !training) && bytes <= bytes_)
      return;
    if (bytes > bytes_) {
      memory_ = base::aligned_bytes(bytes);
      bytes_ = bytes;
    }
    fill(memory_.get());
    version_ = version;
    dtype_ = dtype;
    training_ = training;
  }

  /// Whether the copy is of these weights.
  bool fits(Index version, DType dtype, bool training) const noexcept {
    return version == version_ && dtype == dtype_ && (training_ || !training);
  }
  template <class T>
  const T* data() const noexcept {
    return static_cast<const T*>(memory_.get());
  }

 private:
  std::shared_ptr<void> memory_;
  Index bytes_ = 0;
  Index version_ = -1;
  DType dtype_ = DType::float32;
  bool training_ = false;
};

}  // namespace unroll
