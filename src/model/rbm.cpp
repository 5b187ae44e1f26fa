#include "unroll/rbm.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>

#include "src/base/random.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

namespace {

using Numbers = std::vector<float>;

// What random numbers are for; each has a stream of its own.
enum Stream : std::uint64_t { first_weights, order, draws, asked };

/// A matrix and its transpose, packed for products in both directions.
struct Packed {
  Numbers forth, back;
};

void check_range(const char* what, bool right, double got, const char* want) {
  if (right) return;
  throw Error(ErrorKind::value, std::string("RBM: ") + what + " is out of range",
              {.got = fmt::format("{}", got), .want = want});
}

void check(const RBMFitOptions& options) {
  const auto at_least_one = [](const char* what, Index value) {
    check_range(what, value >= 1, static_cast<double>(value), "1 or more");
  };
  at_least_one("epochs", options.epochs);
  at_least_one("batch_size", options.batch_size);
  at_least_one("k", options.k);
  check_range("learning_rate", options.learning_rate > 0 && std::isfinite(options.learning_rate),
              options.learning_rate, "a number above 0");
  check_range("momentum", options.momentum >= 0 && options.momentum < 1, options.momentum,
              "0 to below 1");
  check_range("weight_decay", options.weight_decay >= 0 && std::isfinite(options.weight_decay),
              options.weight_decay, "0 or more");
}

}  // namespace

struct RBM::Impl {
  RBMOptions options;
  Numbers W, a, b;  // (visible, hidden), (visible), (hidden)

  Index V() const { return options.visible; }
  Index H() const { return options.hidden; }

  Packed packed() const {
    Packed p;
    p.forth.resize(static_cast<std::size_t>(kernels::packed_size<float>(V(), H())));
    kernels::pack(V(), H(), W.data(), H(), false, p.forth.data());
    p.back.resize(static_cast<std::size_t>(kernels::packed_size<float>(H(), V())));
    kernels::pack(H(), V(), W.data(), H(), true, p.back.data());
    return p;
  }
  void to_hidden(const Packed& p, Index rows, const float* v, float* h) const {
    kernels::gemm(rows, H(), V(), v, V(), p.forth.data(), h, H(),
                  {.bias = b.data(), .activation = "sigmoid"});
  }
  void to_visible(const Packed& p, Index rows, const float* h, float* v) const {
    const Activation activation = options.gaussian ? Activation("linear") : Activation("sigmoid");
    kernels::gemm(rows, V(), H(), h, H(), p.back.data(), v, V(),
                  {.bias = a.data(), .activation = activation});
  }

  const float* rows_of(const Tensor& v, Index width, const char* what) const {
    if (v.shape().rank() == 2 && v.shape()[1] == width && v.dtype() == DType::float32) {
      return v.floats();
    }
    throw Error(ErrorKind::shape, std::string("RBM: ") + what + " of another shape or type",
                {.got = v.shape().to_string() + " " + std::string(to_string(v.dtype())),
                 .want = fmt::format("(rows, {}) float32", width)});
  }
};

namespace {

/// Draws 0 or 1 with the probabilities that stand in `p`.
void draw(const base::Random& random, std::uint64_t& position, std::span<float> p) {
  for (float& value : p) {
    value = random.uniform(position++) < static_cast<double>(value) ? 1.0F : 0.0F;
  }
}
/// Adds noise of variance 1.
void disturb(const base::Random& random, std::uint64_t& position, std::span<float> means) {
  for (float& value : means) value += static_cast<float>(random.normal(position++));
}

void check_values(std::span<const float> x, bool gaussian) {
  for (const float value : x) {
    const bool right = gaussian ? std::isfinite(value) : value >= 0 && value <= 1;
    if (right) continue;
    throw Error(ErrorKind::value, "RBM: a number that the visible units cannot be",
                {.got = fmt::format("{}", value),
                 .want = gaussian ? "finite numbers, of mean 0 and variance 1" : "0 to 1"});
  }
}

std::vector<Index> shuffled(Index count, std::uint64_t seed, Index epoch) {
  std::vector<Index> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  const base::Random random(seed, order + (static_cast<std::uint64_t>(epoch) << 8));
  for (Index i = count - 1; i > 0; --i) {
    const Index other = random.below(i + 1, static_cast<std::uint64_t>(i));
    std::swap(numbers[static_cast<std::size_t>(i)], numbers[static_cast<std::size_t>(other)]);
  }
  return numbers;
}

/// What the gradient of some weights has gathered over a batch, and its momentum.
struct Learner {
  Numbers gradient, speed;

  explicit Learner(std::size_t size) : gradient(size, 0), speed(size, 0) {}

  void step(Numbers& weights, Index rows, float rate, float momentum, float decay) {
    const float share = 1 / static_cast<float>(rows);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      speed[i] = momentum * speed[i] + rate * (gradient[i] * share - decay * weights[i]);
      weights[i] += speed[i];
      gradient[i] = 0;
    }
  }
};

}  // namespace

RBM::RBM(const RBMOptions& options) : impl_(std::make_shared<Impl>()) {
  check_range("visible", options.visible >= 1, static_cast<double>(options.visible), "1 or more");
  check_range("hidden", options.hidden >= 1, static_cast<double>(options.hidden), "1 or more");
  impl_->options = options;
  impl_->a.assign(static_cast<std::size_t>(options.visible), 0);
  impl_->b.assign(static_cast<std::size_t>(options.hidden), 0);
  impl_->W.resize(static_cast<std::size_t>(options.visible * options.hidden));
  const base::Random random(options.seed, first_weights);
  for (std::size_t i = 0; i < impl_->W.size(); ++i) {
    impl_->W[i] = static_cast<float>(0.01 * random.normal(i));
  }
}

Tensor RBM::hidden(const Tensor& v) const {
  const float* rows = impl_->rows_of(v, impl_->V(), "visible rows");
  Tensor h({v.shape()[0], impl_->H()});
  impl_->to_hidden(impl_->packed(), v.shape()[0], rows, h.floats());
  return h;
}

Tensor RBM::visible(const Tensor& h) const {
  const float* rows = impl_->rows_of(h, impl_->H(), "hidden rows");
  Tensor v({h.shape()[0], impl_->V()});
  impl_->to_visible(impl_->packed(), h.shape()[0], rows, v.floats());
  return v;
}

Tensor RBM::reconstruct(const Tensor& v) const { return visible(hidden(v)); }

Tensor RBM::sample(const Tensor& v, Index steps, std::uint64_t seed) const {
  check_range("steps", steps >= 1, static_cast<double>(steps), "1 or more");
  const base::Random random(impl_->options.seed ^ seed, asked);
  std::uint64_t position = 0;
  Tensor now = v;
  for (Index step = 0; step < steps; ++step) {
    Tensor h = hidden(now);
    draw(random, position, h.values<float>());
    now = visible(h);
    if (step + 1 == steps) break;
    if (impl_->options.gaussian) {
      disturb(random, position, now.values<float>());
    } else {
      draw(random, position, now.values<float>());
    }
  }
  return now;
}

Tensor RBM::free_energy(const Tensor& v) const {
  const Impl& m = *impl_;
  const float* rows = m.rows_of(v, m.V(), "visible rows");
  const Index count = v.shape()[0];
  Tensor inputs({count, m.H()});
  kernels::gemm(count, m.H(), m.V(), rows, m.V(), m.packed().forth.data(), inputs.floats(), m.H(),
                kernels::Epilogue<float>{.bias = m.b.data()});
  Tensor energy({count}, DType::float64);
  for (Index row = 0; row < count; ++row) {
    double sum = 0;
    for (Index i = 0; i < m.V(); ++i) {
      const double x = static_cast<double>(rows[row * m.V() + i]);
      const double bias = static_cast<double>(m.a[static_cast<std::size_t>(i)]);
      sum += m.options.gaussian ? 0.5 * (x - bias) * (x - bias) : -bias * x;
    }
    for (Index j = 0; j < m.H(); ++j) {
      // log(1 + e^z) without overflow.
      const double z = static_cast<double>(inputs.floats()[row * m.H() + j]);
      sum -= std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
    }
    energy.values<double>()[static_cast<std::size_t>(row)] = sum;
  }
  return energy;
}

std::vector<Tensor> RBM::get_weights() const {
  const Impl& m = *impl_;
  std::vector<Tensor> weights{Tensor({m.V(), m.H()}), Tensor({m.V()}), Tensor({m.H()})};
  std::ranges::copy(m.W, weights[0].floats());
  std::ranges::copy(m.a, weights[1].floats());
  std::ranges::copy(m.b, weights[2].floats());
  return weights;
}

void RBM::set_weights(const std::vector<Tensor>& weights) {
  Impl& m = *impl_;
  const std::vector<Shape> wanted{{m.V(), m.H()}, {m.V()}, {m.H()}};
  bool fits = weights.size() == wanted.size();
  for (std::size_t i = 0; fits && i < wanted.size(); ++i) fits = weights[i].shape() == wanted[i];
  if (!fits) {
    std::string got;
    for (const Tensor& one : weights) got += (got.empty() ? "" : ", ") + one.shape().to_string();
    throw Error(
        ErrorKind::shape, "RBM: other weights",
        {.got = got, .want = fmt::format("({}, {}), ({},), ({},)", m.V(), m.H(), m.V(), m.H())});
  }
  std::size_t i = 0;
  for (Numbers* to : {&m.W, &m.a, &m.b}) {
    const Tensor numbers = weights[i++].to(DType::float32);
    std::ranges::copy(numbers.values<float>(), to->begin());
  }
}

Layer RBM::dense(const std::string& name) const {
  const Impl& m = *impl_;
  Dense layer(m.H(), {.activation = "sigmoid", .name = name});
  const Shape input{unknown, m.V()};
  layer.impl().build_once(std::span(&input, 1));
  const std::vector<Tensor> weights = get_weights();
  layer.set_weights({weights[0], weights[2]});
  return layer;
}

/// One training by contrastive divergence: its buffers, its chain, its momentum.
class RBM::Contrast {
 public:
  Contrast(Impl& machine, const RBMFitOptions& options, Index batch)
      : m_(machine),
        options_(options),
        random_(machine.options.seed, draws),
        v_(size(batch * m_.V())),
        h_(size(batch * m_.H())),
        chain_(h_.size()),
        v_model_(v_.size()),
        h_model_(h_.size()),
        of_W_(m_.W.size()),
        of_a_(m_.a.size()),
        of_b_(m_.b.size()) {}

  float* row(Index r) { return v_.data() + r * m_.V(); }

  /// One update with the first n rows; returns the squared difference of a way there and back.
  double learn(Index n, double momentum) {
    packed_ = m_.packed();
    m_.to_hidden(packed_, n, v_.data(), h_.data());
    m_.to_visible(packed_, n, h_.data(), v_model_.data());
    double error = 0;
    for (Index i = 0; i < n * m_.V(); ++i) {
      const double difference = static_cast<double>(v_[size(i)] - v_model_[size(i)]);
      error += difference * difference;
    }
    walk(n);
    gather(n, v_, h_, 1);
    gather(n, v_model_, h_model_, -1);
    step(n, momentum);
    return error;
  }

 private:
  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

  /// k steps of sampling: v_model_ and h_model_.
  void walk(Index n) {
    if (!options_.persistent || !begun_) {
      // All rows of the buffer: a later batch may be larger than this one.
      std::ranges::copy(h_, chain_.begin());
      draw(random_, position_, chain_);
      begun_ = true;
    }
    const std::span<float> seen(v_model_.data(), size(n * m_.V()));
    const std::span<float> hidden(chain_.data(), size(n * m_.H()));
    for (Index k = 0; k < options_.k; ++k) {
      m_.to_visible(packed_, n, chain_.data(), v_model_.data());
      m_.options.gaussian ? disturb(random_, position_, seen) : draw(random_, position_, seen);
      m_.to_hidden(packed_, n, v_model_.data(), h_model_.data());
      std::copy_n(h_model_.data(), hidden.size(), hidden.data());
      draw(random_, position_, hidden);
    }
  }

  /// Adds sign times the sums over n rows of v h, v and h.
  void gather(Index n, Numbers& v, Numbers& h, float sign) {
    const Index V = m_.V(), H = m_.H();
    for (std::size_t i = 0; sign != 1 && i < size(n * H); ++i) h[i] *= sign;
    kernels::gemm_transposed_a(n, H, V, v.data(), V, h.data(), H, of_W_.gradient.data(), H);
    kernels::add_rows(n, H, h.data(), H, of_b_.gradient.data());
    for (std::size_t i = 0; sign != 1 && i < size(n * V); ++i) v[i] *= sign;
    kernels::add_rows(n, V, v.data(), V, of_a_.gradient.data());
  }

  void step(Index n, double momentum) {
    const auto rate = static_cast<float>(options_.learning_rate);
    const auto kept = static_cast<float>(momentum);
    const auto decay = static_cast<float>(options_.weight_decay);
    of_W_.step(m_.W, n, rate, kept, decay);
    of_a_.step(m_.a, n, rate, kept, 0);
    of_b_.step(m_.b, n, rate, kept, 0);
  }

  Impl& m_;
  const RBMFitOptions& options_;
  base::Random random_;
  std::uint64_t position_ = 0;
  Packed packed_;
  Numbers v_, h_, chain_, v_model_, h_model_;
  Learner of_W_, of_a_, of_b_;
  bool begun_ = false;
};

History RBM::fit(const Tensor& x, const RBMFitOptions& options) {
  using Clock = std::chrono::steady_clock;
  Impl& m = *impl_;
  check(options);
  const float* rows = m.rows_of(x, m.V(), "rows");
  const Index count = x.shape()[0];
  if (count == 0) throw Error(ErrorKind::value, "RBM: no rows to learn from");
  check_values(x.values<float>(), m.options.gaussian);
  const Index batch = std::min(options.batch_size, count);
  Contrast contrast(m, options, batch);
  History history;
  history.steps_per_epoch = (count + batch - 1) / batch;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const auto start = Clock::now();
  bool ended = false;
  for (Index epoch = 0; epoch < options.epochs && !ended; ++epoch) {
    const std::vector<Index> numbers = shuffled(count, m.options.seed, epoch);
    const double momentum = epoch < 5 ? options.momentum : std::max(options.momentum, 0.9);
    const auto epoch_start = Clock::now();
    double error = 0;
    ProgressEvent event;
    event.steps = history.steps_per_epoch;
    event.epoch = epoch;
    event.epochs = options.epochs;
    for (Index first = 0; first < count && !ended; first += batch) {
      const Index n = std::min(batch, count - first);
      for (Index r = 0; r < n; ++r) {
        const float* row = rows + numbers[static_cast<std::size_t>(first + r)] * m.V();
        std::copy_n(row, m.V(), contrast.row(r));
      }
      error += contrast.learn(n, momentum);
      ++event.step;
      event.epoch_seconds = since(epoch_start);
      event.logs = {{"reconstruction_error", error / static_cast<double>((first + n) * m.V())}};
      options.progress(event);
      ended = options.interrupted && options.interrupted();
    }
    if (!std::isfinite(event.logs[0].second)) {
      throw Error(
          ErrorKind::value, "RBM: the weights are no longer finite",
          {.got = fmt::format("in epoch {}", epoch + 1), .hint = "a smaller learning_rate"});
    }
    history.add(event.logs);
    event.kind = ProgressEvent::Kind::epoch;
    options.progress(event);
  }
  history.seconds = since(start);
  return history;
}

}  // namespace unroll
