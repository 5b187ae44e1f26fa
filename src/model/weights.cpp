#include "src/model/weights.h"

#include "src/base/aligned.h"

namespace unroll {

bool FlatWeights::bound(const std::vector<Parameter*>& parameters, DType dtype) const {
  if (parameters != parameters_ || dtype != dtype_) return false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const bool trained = offsets_[i] >= 0;
    if (trained != parameters[i]->trainable) return false;
    if (!trained) continue;
    const auto* place = static_cast<const std::byte*>(flat_.raw()) + offsets_[i] * size_of(dtype);
    if (parameters[i]->value().raw() != place) return false;
  }
  return true;
}

void FlatWeights::bind(const std::vector<Parameter*>& parameters, DType dtype) {
  if (bound(parameters, dtype)) return;
  parameters_ = parameters;
  dtype_ = dtype;
  ranges_.clear();
  offsets_.assign(parameters.size(), -1);
  const Index line = base::cache_line / size_of(dtype);
  size_ = 0;
  for (const bool sparse : {false, true}) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      Parameter* parameter = parameters[i];
      if (!parameter->trainable || parameter->sparse != sparse) continue;
      offsets_[i] = size_;
      ranges_.push_back({parameter, size_, parameter->elements()});
      size_ = base::round_up(size_ + parameter->elements(), line);
    }
    if (!sparse) dense_ = size_;
  }
  Tensor flat({size_}, dtype);
  for (const WeightRange& range : ranges_) {
    const Tensor place = flat.rows(range.offset, range.offset + range.size);
    range.parameter->move_to(place.reshape(range.parameter->shape()));
  }
  flat_ = flat;
}

void FlatWeights::touch() noexcept {
  for (const WeightRange& range : ranges_) range.parameter->touch();
}

Index FlatWeights::trained() const noexcept {
  Index count = 0;
  for (const WeightRange& range : ranges_) count += range.size;
  return count;
}

}  // namespace unroll
