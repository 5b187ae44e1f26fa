// From one loss a sample to one loss a batch.
#include <string>

#include "unroll/error.h"
#include "unroll/losses.h"

namespace unroll {

Reduction parse_reduction(std::string_view name) {
  std::string names;
  for (const auto& [known, kind] : reduction_names) {
    if (known == name) return kind;
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  throw Error(ErrorKind::value, "no reduction has this name",
              {.got = '"' + std::string(name) + '"', .want = "one of " + names});
}

template <class T>
bool loss_mask(const Loss& loss, Index samples, const T* y_true, std::uint8_t* mask) {
  const auto* sparse = std::get_if<SparseCategoricalCrossentropy>(&loss.options());
  if (!sparse || !sparse->ignore_class) return false;
  const T ignored = static_cast<T>(*sparse->ignore_class);
  for (Index s = 0; s < samples; ++s) {
    if (y_true[s] == ignored) mask[s] = 0;
  }
  return true;
}

template <class T>
LossCounts count_samples(Index samples, const std::uint8_t* mask, const T* sample_weight) {
  LossCounts counts{.samples = static_cast<double>(samples), .masked = mask != nullptr};
  for (Index s = 0; s < samples; ++s) {
    if (mask && !mask[s]) continue;
    counts.valid += 1;
    counts.weight += sample_weight ? static_cast<double>(sample_weight[s]) : 1;
  }
  return counts;
}

template <class T>
void sample_scales(const Loss& loss, const LossCounts& batch, Index samples,
                   const std::uint8_t* mask, const T* sample_weight, T* scales) {
  const ReductionKind kind = loss.reduction();
  const bool by_count = kind == ReductionKind::sum_over_batch_size || kind == ReductionKind::mean;
  const bool by_weight = kind == ReductionKind::mean_with_sample_weight;
  double divisor = 1;
  if (by_count) divisor = batch.masked ? batch.valid : batch.samples;
  if (by_weight) divisor = batch.weight;
  // A batch that is empty, all masked or without any weight has loss 0.
  const T scale = divisor == 0 ? T{0} : static_cast<T>(1 / divisor);
  for (Index s = 0; s < samples; ++s) {
    const T weight = sample_weight ? sample_weight[s] : T{1};
    scales[s] = mask && !mask[s] ? T{0} : scale * weight;
  }
}

#define UNROLL_INSTANTIATE(T)                                                             \
  template bool loss_mask(const Loss&, Index, const T*, std::uint8_t*);                   \
  template LossCounts count_samples(Index, const std::uint8_t*, const T*);                \
  template void sample_scales(const Loss&, const LossCounts&, Index, const std::uint8_t*, \
                              const T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll
