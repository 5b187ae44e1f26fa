// The functions of each loss, one overload an option struct; losses.cpp chooses among them.
#pragma once

#include "unroll/losses.h"

namespace unroll::training {

/// What Keras calls epsilon: it keeps logarithms and quotients finite.
template <class T>
inline constexpr T epsilon = static_cast<T>(1e-7);

/// Some samples: p is (samples, n); y the same, or (samples) labels, or (samples, n / 2) where p is
/// of distributions.
template <class T>
struct Samples {
  Index samples = 0, n = 0;
  const T* y = nullptr;
  const T* p = nullptr;
};

#define UNROLL_LOSS(Option)                                        \
  template <class T>                                               \
  void values(const Option& loss, const Samples<T>& s, T* values); \
  template <class T>                                               \
  void gradient(const Option& loss, const Samples<T>& s, const T* dvalues, T* dp)

UNROLL_LOSS(MeanSquaredError);
UNROLL_LOSS(MeanAbsoluteError);
UNROLL_LOSS(MeanAbsolutePercentageError);
UNROLL_LOSS(MeanSquaredLogarithmicError);
UNROLL_LOSS(Huber);
UNROLL_LOSS(LogCosh);
UNROLL_LOSS(Quantile);
UNROLL_LOSS(SymmetricMeanAbsolutePercentageError);
UNROLL_LOSS(MeanAbsoluteScaledError);
UNROLL_LOSS(GaussianNegativeLogLikelihood);
UNROLL_LOSS(StudentTNegativeLogLikelihood);
UNROLL_LOSS(Poisson);
UNROLL_LOSS(KLDivergence);
UNROLL_LOSS(CosineSimilarity);
UNROLL_LOSS(Hinge);
UNROLL_LOSS(SquaredHinge);
UNROLL_LOSS(CategoricalHinge);
UNROLL_LOSS(BinaryCrossentropy);
UNROLL_LOSS(BinaryFocalCrossentropy);
UNROLL_LOSS(CategoricalCrossentropy);
UNROLL_LOSS(CategoricalFocalCrossentropy);
UNROLL_LOSS(SparseCategoricalCrossentropy);
#undef UNROLL_LOSS

/// For the files that define them.
#define UNROLL_INSTANTIATE_LOSS(Option)                                               \
  template void values(const Option&, const Samples<float>&, float*);                 \
  template void values(const Option&, const Samples<double>&, double*);               \
  template void gradient(const Option&, const Samples<float>&, const float*, float*); \
  template void gradient(const Option&, const Samples<double>&, const double*, double*)

}  // namespace unroll::training
