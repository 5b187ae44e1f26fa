// The trainable weights of a model as one flat vector, and the gradients that lanes keep of it.
#pragma once

#include <vector>

#include "src/model/graph.h"

namespace unroll {

/// Where a weight lies in the flat vectors. Each begins on a cache line of its own.
struct WeightRange {
  Parameter* parameter = nullptr;
  Index offset = 0;
  Index size = 0;
};

/// One vector of all trainable weights: dense ones first, then tables whose gradients are sparse.
/// The parameters become slices of it.
class FlatWeights {
 public:
  /// Moves the parameters into one vector, unless they lie in it already.
  void bind(const std::vector<Parameter*>& parameters, DType dtype);

  DType dtype() const noexcept { return dtype_; }
  Index size() const noexcept { return size_; }
  /// Numbers [0, dense_size()) have a gradient in every lane.
  Index dense_size() const noexcept { return dense_; }
  const std::vector<WeightRange>& ranges() const noexcept { return ranges_; }
  /// Of parameter i of the list; -1 where it is not trained.
  Index offset(std::size_t i) const noexcept { return offsets_[i]; }

  template <class T>
  T* data() noexcept {
    return static_cast<T*>(flat_.raw());
  }
  /// Tells packed copies that the numbers have changed.
  void touch() noexcept;
  /// Numbers in trained weights alone, without padding.
  Index trained() const noexcept;

 private:
  bool bound(const std::vector<Parameter*>& parameters, DType dtype) const;

  Tensor flat_;
  DType dtype_ = DType::float32;
  std::vector<Parameter*> parameters_;
  std::vector<WeightRange> ranges_;
  std::vector<Index> offsets_;
  Index dense_ = 0;
  Index size_ = 0;
};

}  // namespace unroll
