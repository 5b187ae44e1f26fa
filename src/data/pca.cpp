#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "src/data/points.h"
#include "unroll/projection.h"

namespace unroll {

namespace {

/// A square matrix.
struct Square {
  explicit Square(Index size) : n(size), numbers(static_cast<std::size_t>(size * size), 0.0) {}
  double& at(Index i, Index j) { return numbers[static_cast<std::size_t>(i * n + j)]; }
  double at(Index i, Index j) const { return numbers[static_cast<std::size_t>(i * n + j)]; }

  Index n;
  std::vector<double> numbers;
};

std::vector<double> means_of(const data::Points& points) {
  std::vector<double> means(static_cast<std::size_t>(points.width()), 0.0);
  for (Index i = 0; i < points.rows(); ++i) {
    const auto row = points.row(i);
    for (std::size_t k = 0; k < row.size(); ++k) means[k] += row[k];
  }
  for (double& mean : means) mean /= static_cast<double>(points.rows());
  return means;
}

Square covariance(const data::Points& points, const std::vector<double>& means) {
  Square c(points.width());
  std::vector<double> centred(means.size());
  for (Index r = 0; r < points.rows(); ++r) {
    const auto row = points.row(r);
    for (std::size_t k = 0; k < row.size(); ++k) centred[k] = row[k] - means[k];
    for (Index i = 0; i < c.n; ++i) {
      const double left = centred[static_cast<std::size_t>(i)];
      for (Index j = i; j < c.n; ++j) c.at(i, j) += left * centred[static_cast<std::size_t>(j)];
    }
  }
  for (Index i = 0; i < c.n; ++i) {
    for (Index j = 0; j < i; ++j) c.at(i, j) = c.at(j, i);
  }
  return c;
}

/// One rotation of Jacobi's: makes a(p, q) zero. `v` collects the rotations, a direction a row.
void rotate(Square& a, Square& v, Index p, Index q) {
  const double off = a.at(p, q);
  const double theta = (a.at(q, q) - a.at(p, p)) / (2 * off);
  const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
  const double cosine = 1 / std::sqrt(t * t + 1), sine = t * cosine;
  for (Index k = 0; k < a.n; ++k) {
    const double x = a.at(k, p), y = a.at(k, q);
    a.at(k, p) = cosine * x - sine * y;
    a.at(k, q) = sine * x + cosine * y;
  }
  for (Square* m : {&a, &v}) {
    for (Index k = 0; k < a.n; ++k) {
      const double x = m->at(p, k), y = m->at(q, k);
      m->at(p, k) = cosine * x - sine * y;
      m->at(q, k) = sine * x + cosine * y;
    }
  }
}

/// Makes `a` diagonal; returns its directions, a row each.
Square diagonalize(Square& a) {
  Square v(a.n);
  for (Index i = 0; i < a.n; ++i) v.at(i, i) = 1;
  double total = 0;
  for (const double x : a.numbers) total += x * x;
  constexpr int most_sweeps = 60;  // about ten are enough
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double off = 0;
    for (Index p = 0; p < a.n; ++p) {
      for (Index q = p + 1; q < a.n; ++q) off += a.at(p, q) * a.at(p, q);
    }
    if (off <= 1e-24 * total) break;
    for (Index p = 0; p < a.n; ++p) {
      for (Index q = p + 1; q < a.n; ++q) {
        if (std::abs(a.at(p, q)) > 1e-300) rotate(a, v, p, q);
      }
    }
  }
  return v;
}

}  // namespace

Tensor pca(const Tensor& table, Index components) {
  const data::Points points("pca", table);
  if (components < 1 || components > points.width()) {
    throw Error(
        ErrorKind::value, "pca: no such number of components",
        {.got = std::to_string(components), .want = "1 to " + std::to_string(points.width())});
  }
  const std::vector<double> means = means_of(points);
  Square spread = covariance(points, means);
  const Square directions = diagonalize(spread);
  std::vector<Index> order(static_cast<std::size_t>(spread.n));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order,
                           [&](Index a, Index b) { return spread.at(a, a) > spread.at(b, b); });
  Tensor seen({points.rows(), components}, DType::float64);
  for (Index c = 0; c < components; ++c) {
    const double* direction =
        &directions
             .numbers[static_cast<std::size_t>(order[static_cast<std::size_t>(c)] * spread.n)];
    const double* largest =
        std::max_element(direction, direction + spread.n,
                         [](double a, double b) { return std::abs(a) < std::abs(b); });
    const double sign = *largest < 0 ? -1 : 1;
    for (Index r = 0; r < points.rows(); ++r) {
      const auto row = points.row(r);
      double sum = 0;
      for (std::size_t k = 0; k < row.size(); ++k) sum += (row[k] - means[k]) * direction[k];
      seen.values<double>()[static_cast<std::size_t>(r * components + c)] = sign * sum;
    }
  }
  return seen;
}

}  // namespace unroll
