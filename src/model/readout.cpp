#include "unroll/readout.h"

#include <algorithm>
#include <cmath>

#include "src/kernels/gemm.h"
#include "src/layers/listener.h"
#include "unroll/error.h"

namespace unroll {

namespace {

std::string text(Index n) { return std::to_string(n); }

/// Sums over samples of products of features and targets, and what follows from them. Everything is
/// taken relative to the first sample: sums of squares of numbers far from zero would lose digits.
class NormalEquations {
 public:
  NormalEquations(Index features, Index units)
      : F_(features),
        U_(units),
        origin_(size(F_ + U_)),
        sums_(size(F_ + U_)),
        squares_(size(F_ * (F_ + U_))) {}

  /// x (rows, F), y (rows, U).
  void add(Index rows, const double* x, const double* y) {
    if (rows == 0) return;
    if (samples_ == 0) {
      std::copy_n(x, F_, origin_.begin());
      std::copy_n(y, U_, origin_.begin() + F_);
    }
    const Index W = F_ + U_;
    std::vector<double> both(size(rows * W));
    for (Index r = 0; r < rows; ++r) {
      double* row = both.data() + r * W;
      std::copy_n(x + r * F_, F_, row);
      std::copy_n(y + r * U_, U_, row + F_);
      for (Index i = 0; i < W; ++i) row[i] -= origin_[size(i)];
    }
    kernels::gemm_transposed_a(rows, W, F_, both.data(), W, both.data(), W, squares_.data(), W);
    kernels::add_rows(rows, W, both.data(), W, sums_.data());
    samples_ += rows;
  }

  RidgeFit solve(double alpha) const;

 private:
  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

  Index F_, U_, samples_ = 0;
  std::vector<double> origin_, sums_;
  std::vector<double> squares_;  // (F, F + U)
};

/// A = L L^T in place, (n, n); false where A is not positive definite to working precision.
bool factorize(Index n, double* A) {
  for (Index i = 0; i < n; ++i) {
    double* row = A + i * n;
    const double diagonal = row[i];
    for (Index j = 0; j <= i; ++j) {
      const double* other = A + j * n;
      double sum = row[j];
      for (Index k = 0; k < j; ++k) sum -= row[k] * other[k];
      row[j] = j < i ? sum / other[j] : sum;
    }
    if (!(row[i] > 1e-13 * diagonal)) return false;
    row[i] = std::sqrt(row[i]);
  }
  return true;
}

/// B (n, U) = A^-1 B from its factor.
void substitute(Index n, Index U, const double* L, double* B) {
  const auto subtract = [&](Index i, Index k, double factor) {
    for (Index u = 0; u < U; ++u) B[i * U + u] -= factor * B[k * U + u];
  };
  const auto divide = [&](Index i) {
    for (Index u = 0; u < U; ++u) B[i * U + u] /= L[i * n + i];
  };
  for (Index i = 0; i < n; ++i) {
    for (Index k = 0; k < i; ++k) subtract(i, k, L[i * n + k]);
    divide(i);
  }
  for (Index i = n; i-- > 0;) {
    for (Index k = i + 1; k < n; ++k) subtract(i, k, L[k * n + i]);
    divide(i);
  }
}

RidgeFit NormalEquations::solve(double alpha) const {
  const Index W = F_ + U_;
  const auto n = static_cast<double>(samples_);
  std::vector<double> A(size(F_ * F_));
  RidgeFit fit{Tensor({F_, U_}, DType::float64), Tensor({U_}, DType::float64)};
  double *B = fit.kernel.values<double>().data(), *b = fit.bias.values<double>().data();
  for (Index i = 0; i < F_; ++i) {
    for (Index j = 0; j < W; ++j) {
      const double mean = sums_[size(i)] * sums_[size(j)] / n;
      (j < F_ ? A[size(i * F_ + j)] : B[i * U_ + j - F_]) = squares_[size(i * W + j)] - mean;
    }
    A[size(i * F_ + i)] += alpha * n;
  }
  if (!factorize(F_, A.data())) {
    throw Error(ErrorKind::value, "ridge: the features do not determine the weights",
                {.got = text(samples_) + " samples of " + text(F_) + " features, alpha " +
                        std::to_string(alpha),
                 .want = "features that are independent of each other",
                 .hint = "an alpha above 0, such as 1e-6"});
  }
  substitute(F_, U_, A.data(), B);
  for (Index u = 0; u < U_; ++u) {
    b[u] = origin_[size(F_ + u)] + sums_[size(F_ + u)] / n;
    for (Index i = 0; i < F_; ++i) b[u] -= (origin_[size(i)] + sums_[size(i)] / n) * B[i * U_ + u];
  }
  return fit;
}

void check_alpha(double alpha) {
  if (alpha >= 0 && std::isfinite(alpha)) return;
  throw Error(ErrorKind::value, "ridge: alpha is out of range",
              {.got = std::to_string(alpha), .want = "0 or more"});
}

/// Steps [first, ...) of every row, as samples in float64.
std::vector<double> samples_of(const Tensor& values, Index first, const char* what) {
  const Tensor wide = values.to(DType::float64);
  const double* from = wide.values<double>().data();
  const bool sequence = values.rank() == 3;
  const Index rows = values.shape()[0], steps = sequence ? values.shape()[1] : 1;
  const Index n = values.shape()[-1];
  std::vector<double> samples;
  for (Index r = 0; r < rows; ++r) {
    samples.insert(samples.end(), from + (r * steps + first) * n, from + (r + 1) * steps * n);
  }
  if (std::ranges::all_of(samples, [](double v) { return std::isfinite(v); })) return samples;
  throw Error(ErrorKind::value, std::string("ridge: ") + what + " has a number that is not finite");
}

void add_samples(NormalEquations& sums, const Tensor& x, const Tensor& y, Index washout) {
  const std::vector<double> features = samples_of(x, washout, "x"),
                            targets = samples_of(y, washout, "y");
  sums.add(static_cast<Index>(features.size()) / x.shape()[-1], features.data(), targets.data());
}

/// Hears whether a Dense is one that least squares can set.
class HearsDense final : public Listener {
 public:
  using Listener::field;
  void field(std::string_view name, Activation& value) override {
    if (name == "activation") activation = value;
  }
  void field(std::string_view name, bool& value) override {
    if (name == "use_bias") use_bias = value;
  }
  Activation activation;
  bool use_bias = true;
};

void check_last(const Layer& last) {
  HearsDense heard;
  last.impl().describe(heard);
  const bool dense = last.class_name() == "Dense";
  if (dense && heard.activation == Activation("linear") && heard.use_bias) return;
  std::string got(last.class_name());
  if (dense && !heard.use_bias) got += " without bias";
  if (dense && heard.activation != Activation("linear")) {
    got += " with activation " + std::string(heard.activation.name());
  }
  throw Error(ErrorKind::unsupported, "fit_readout: the model's last layer is no linear readout",
              {.got = got, .want = "a Dense without activation, with bias"});
}

void check_shapes(const Tensor& y, const Shape& output, const Shape& x) {
  const bool same = y.rank() == output.rank() && y.shape()[0] == x[0] &&
                    y.shape()[-1] == output[-1] && (y.rank() < 3 || y.shape()[1] == x[1]);
  if (same && (y.rank() == 2 || y.rank() == 3)) return;
  Shape want = output;
  want.set(0, x[0]);
  throw Error(ErrorKind::shape, "fit_readout: y does not have the shape of the outputs",
              {.got = y.shape().to_string(), .want = want.to_string()});
}

}  // namespace

RidgeFit ridge(const Tensor& x, const Tensor& y, double alpha) {
  check_alpha(alpha);
  if (x.rank() != 2 || y.rank() != 2 || x.shape()[0] != y.shape()[0] || x.shape()[0] == 0) {
    throw Error(ErrorKind::shape, "ridge: shapes do not fit",
                {.got = x.shape().to_string() + " and " + y.shape().to_string(),
                 .want = "(samples, features) and (samples, units)"});
  }
  NormalEquations sums(x.shape()[1], y.shape()[1]);
  add_samples(sums, x, y, 0);
  return sums.solve(alpha);
}

void fit_readout(Model& model, const Tensor& x, const Tensor& y, const RidgeOptions& options) {
  check_alpha(options.alpha);
  Session session;
  // Builds the model and gives the weights their first values, from the model's seed.
  const Tensor one = model.predict(session, x.rows(0, 1))[0];
  const Layer last = model.layers().back();
  check_last(last);
  check_shapes(y, one.shape(), x.shape());
  const Index steps = y.rank() == 3 ? y.shape()[1] : 1;
  if (options.washout < 0 || options.washout >= steps) {
    throw Error(ErrorKind::value, "fit_readout: the washout leaves no step to learn from",
                {.got = text(options.washout) + " of " + text(steps) + " steps",
                 .want = "0 to " + text(steps - 1)});
  }
  Model before({.inputs = model.inputs(), .outputs = Symbols(last.input())});
  NormalEquations sums(last.input().shape()[-1], y.shape()[-1]);
  const Index rows = x.shape()[0], batch = std::max<Index>(options.batch_size, 1);
  for (Index first = 0; first < rows; first += batch) {
    const Index end = std::min(first + batch, rows);
    Session fresh;
    const Tensor features = before.predict(fresh, x.rows(first, end))[0];
    add_samples(sums, features, y.rows(first, end), options.washout);
  }
  const RidgeFit fit = sums.solve(options.alpha);
  Layer(last).set_weights({fit.kernel, fit.bias});
}

}  // namespace unroll
