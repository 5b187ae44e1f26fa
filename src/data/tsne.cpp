// t-SNE, exact: every pair of points, every iteration.
//
//   p(i, j)   how near two rows are: Gaussian around each row, as wide as its perplexity asks for
//   q(i, j)   how near their places in the plane are: 1 / (1 + distance^2), over the sum of all
//   gradient  4 sum_j (p - q) (y_i - y_j) / (1 + distance^2)
//
// Memory: rows squared floats for p; q is computed twice rather than kept.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "src/base/random.h"
#include "src/data/points.h"
#include "unroll/projection.h"

namespace unroll {

namespace {

constexpr Index most_rows = 10'000;
constexpr Index exaggerated = 250;  ///< iterations in which p counts more, so that groups form
constexpr double exaggeration = 12;

void check(const TsneOptions& options, Index rows) {
  if (rows < 4 || rows > most_rows) {
    throw Error(ErrorKind::value, "tsne: no such number of rows",
                {.got = std::to_string(rows),
                 .want = "4 to 10000",
                 .hint = "show the most frequent words only"});
  }
  const auto positive = [](const char* what, double value) {
    if (value > 0 && std::isfinite(value)) return;
    throw Error(ErrorKind::value, std::string("tsne: ") + what + " is out of range",
                {.got = std::to_string(value), .want = "a number above 0"});
  };
  positive("perplexity", options.perplexity);
  positive("iterations", static_cast<double>(options.iterations));
  if (options.learning_rate != 0) positive("learning_rate", options.learning_rate);
}

/// The nearness of all rows to row i, as a distribution of the wanted perplexity.
void nearness_to(Index i, const std::vector<double>& distances, double perplexity,
                 std::vector<double>& p) {
  const double wanted = std::log(perplexity);
  double low = 0, high = INFINITY, precision = 1;
  const double least = [&] {
    double found = INFINITY;
    for (std::size_t j = 0; j < distances.size(); ++j) {
      if (static_cast<Index>(j) != i) found = std::min(found, distances[j]);
    }
    return found;
  }();
  for (int tries = 0; tries < 64; ++tries) {
    double sum = 0, weighted = 0;
    for (std::size_t j = 0; j < distances.size(); ++j) {
      // From the least distance on, so that the nearest row always counts.
      const double far = distances[j] - least;
      p[j] = static_cast<Index>(j) == i ? 0 : std::exp(-far * precision);
      sum += p[j];
      weighted += p[j] * far;
    }
    const double entropy = std::log(sum) + precision * weighted / sum;
    for (double& value : p) value /= sum;
    if (std::abs(entropy - wanted) < 1e-5) break;
    (entropy > wanted ? low : high) = precision;
    precision = std::isinf(high) ? precision * 2 : (low + high) / 2;
  }
}

/// p(i, j) = p(j, i), sum 1.
std::vector<float> nearness(const data::Points& points, double perplexity) {
  const Index n = points.rows();
  std::vector<float> all(static_cast<std::size_t>(n * n));
  std::vector<double> distances(static_cast<std::size_t>(n)), p(distances.size());
  for (Index i = 0; i < n; ++i) {
    const auto here = points.row(i);
    for (Index j = 0; j < n; ++j) {
      const auto there = points.row(j);
      double sum = 0;
      for (std::size_t k = 0; k < here.size(); ++k) {
        sum += (here[k] - there[k]) * (here[k] - there[k]);
      }
      distances[static_cast<std::size_t>(j)] = sum;
    }
    nearness_to(i, distances, perplexity, p);
    for (Index j = 0; j < n; ++j) {
      all[static_cast<std::size_t>(i * n + j)] = static_cast<float>(p[static_cast<std::size_t>(j)]);
    }
  }
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j) {
      float& a = all[static_cast<std::size_t>(i * n + j)];
      float& b = all[static_cast<std::size_t>(j * n + i)];
      a = b = (a + b) / static_cast<float>(2 * n);
    }
  }
  return all;
}

/// The places in the plane and how they move.
class Plane {
 public:
  Plane(const Tensor& start, std::uint64_t seed) : n_(start.shape()[0]) {
    const auto from = start.values<double>();
    double most = 0;
    for (const double value : from) most = std::max(most, std::abs(value));
    const double scale = most > 0 ? 1e-2 / most : 0;
    const base::Random random(seed);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      for (auto* numbers : {&place_, &speed_, &gain_, &push_}) {
        (*numbers)[axis].assign(static_cast<std::size_t>(n_), 0);
      }
      std::ranges::fill(gain_[axis], 1.0F);
      for (std::size_t i = 0; i < place_[axis].size(); ++i) {
        const double noise = 1e-5 * random.normal(2 * i + axis);
        place_[axis][i] = static_cast<float>(from[2 * i + axis] * scale + noise);
      }
    }
  }

  /// One iteration; `weight` multiplies p.
  void move(const std::vector<float>& p, float weight, float momentum, float rate) {
    const float share = 1 / static_cast<float>(total());
    for (Index i = 0; i < n_; ++i) push(p.data() + i * n_, weight, share, i);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      for (std::size_t i = 0; i < push_[axis].size(); ++i) {
        float &gain = gain_[axis][i], &speed = speed_[axis][i];
        const float gradient = push_[axis][i];
        // A direction that keeps its sign is followed faster.
        gain = std::max((gradient > 0) != (speed > 0) ? gain + 0.2F : gain * 0.8F, 0.01F);
        speed = momentum * speed - rate * gain * gradient;
        place_[axis][i] += speed;
      }
    }
  }

  Tensor places() const {
    Tensor result({n_, 2}, DType::float64);
    std::array<double, 2> mean{};
    for (std::size_t axis = 0; axis < 2; ++axis) {
      for (const float value : place_[axis]) mean[axis] += static_cast<double>(value);
      mean[axis] /= static_cast<double>(n_);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(2 * n_); ++i) {
      result.values<double>()[i] = static_cast<double>(place_[i % 2][i / 2]) - mean[i % 2];
    }
    return result;
  }

 private:
  using Numbers = std::array<std::vector<float>, 2>;

  float nearness(std::size_t i, std::size_t j) const {
    const float dx = place_[0][i] - place_[0][j], dy = place_[1][i] - place_[1][j];
    return 1 / (1 + dx * dx + dy * dy);
  }
  double total() const {
    double sum = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n_); ++i) {
      float row = 0;
      for (std::size_t j = 0; j < i; ++j) row += nearness(i, j);
      sum += 2 * static_cast<double>(row);
    }
    return sum;
  }
  void push(const float* p, float weight, float share, Index row) {
    const auto i = static_cast<std::size_t>(row);
    float x = 0, y = 0;
    for (std::size_t j = 0; j < static_cast<std::size_t>(n_); ++j) {
      const float near = nearness(i, j);
      const float pull = (weight * p[j] - near * share) * near;
      x += pull * (place_[0][i] - place_[0][j]);
      y += pull * (place_[1][i] - place_[1][j]);
    }
    push_[0][i] = 4 * x;
    push_[1][i] = 4 * y;
  }

  Index n_;
  Numbers place_, speed_, gain_, push_;
};

}  // namespace

Tensor tsne(const Tensor& table, const TsneOptions& options) {
  const data::Points points("tsne", table);
  check(options, points.rows());
  const double rows = static_cast<double>(points.rows());
  const std::vector<float> p = nearness(points, std::min(options.perplexity, (rows - 1) / 3));
  Tensor start({points.rows(), 2}, DType::float64);
  if (points.width() > 1) start = pca(table, 2);
  Plane plane(start, options.seed);
  const double rate = options.learning_rate > 0 ? options.learning_rate : std::max(rows / 12, 50.0);
  for (Index i = 0; i < options.iterations; ++i) {
    const bool early = i < exaggerated;
    plane.move(p, early ? static_cast<float>(exaggeration) : 1.0F, early ? 0.5F : 0.8F,
               static_cast<float>(rate));
    if (options.interrupted && options.interrupted()) break;
  }
  return plane.places();
}

}  // namespace unroll
