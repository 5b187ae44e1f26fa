#include "unroll/initializers.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/base/random.h"
#include "src/kernels/vector.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// What a unit sees and feeds, by Keras's rule: the last two axes, times what is before them.
struct Fans {
  double in, out;
};

Fans fans(const Shape& shape) {
  if (shape.rank() == 0) return {1, 1};
  if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  const auto field = static_cast<double>(shape.product(0, shape.rank() - 2));
  return {field * static_cast<double>(shape[-2]), field * static_cast<double>(shape[-1])};
}

double truncated(const base::Random& random, std::uint64_t position) {
  // A normal number outside two deviations is drawn again, from positions nobody else uses.
  for (std::uint64_t attempt = 0;; ++attempt) {
    const double value = random.normal(position + (attempt << 40));
    if (std::abs(value) <= 2) return value;
  }
}

/// Rows of normal numbers made orthonormal (modified Gram and Schmidt, twice, which is enough for
/// full precision). The diagonal of R is positive by construction: the distribution is Haar's.
std::vector<double> orthonormal_rows(Index rows, Index columns, const base::Random& random) {
  std::vector<double> q(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = random.normal(i);
  for (Index r = 0; r < rows; ++r) {
    double* row = q.data() + r * columns;
    for (int pass = 0; pass < 2; ++pass) {
      for (Index before = 0; before < r; ++before) {
        const double* other = q.data() + before * columns;
        kernels::add_scaled(columns, -kernels::dot(columns, row, other), other, row);
      }
    }
    const double length = std::sqrt(kernels::dot(columns, row, row));
    kernels::scale_shift(columns, 1 / length, 0.0, row, row);
  }
  return q;
}

std::vector<double> orthogonal_values(const Shape& shape, double gain, const base::Random& random) {
  if (shape.rank() < 2) {
    throw Error(ErrorKind::shape, "an orthogonal initializer wants at least two axes",
                {.got = shape.to_string()});
  }
  const Index rows = shape.product(0, shape.rank() - 1), columns = shape[-1];
  const bool wide = rows <= columns;
  const auto q = orthonormal_rows(std::min(rows, columns), std::max(rows, columns), random);
  std::vector<double> values(q.size());
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) {
      values[static_cast<std::size_t>(r * columns + c)] =
          gain * q[static_cast<std::size_t>(wide ? r * columns + c : c * rows + r)];
    }
  }
  return values;
}

std::vector<double> draw(const Initializer& initializer, const Shape& shape,
                         const base::Random& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.elements()), 0.0);
  const double a = initializer.a(), b = initializer.b();
  const Fans fan = fans(shape);
  const auto uniform = [&](double low, double high) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = low + (high - low) * random.uniform(i);
    }
  };
  // Keras draws from a normal cut at two deviations and widens it to keep the variance.
  const auto scaled_normal = [&](double variance) {
    const double deviation = std::sqrt(variance) / 0.87962566103423978;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = deviation * truncated(random, i);
  };
  const auto scaled_uniform = [&](double variance) {
    uniform(-std::sqrt(3 * variance), std::sqrt(3 * variance));
  };
  switch (initializer.kind()) {
    case InitializerKind::zeros:
      break;
    case InitializerKind::ones:
      std::ranges::fill(values, 1.0);
      break;
    case InitializerKind::constant:
      std::ranges::fill(values, a);
      break;
    case InitializerKind::random_uniform:
      uniform(a, b);
      break;
    case InitializerKind::random_normal:
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = a + b * random.normal(i);
      break;
    case InitializerKind::truncated_normal:
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = a + b * truncated(random, i);
      break;
    case InitializerKind::glorot_uniform:
      scaled_uniform(2 / (fan.in + fan.out));
      break;
    case InitializerKind::glorot_normal:
      scaled_normal(2 / (fan.in + fan.out));
      break;
    case InitializerKind::he_uniform:
      scaled_uniform(2 / fan.in);
      break;
    case InitializerKind::he_normal:
      scaled_normal(2 / fan.in);
      break;
    case InitializerKind::lecun_uniform:
      scaled_uniform(1 / fan.in);
      break;
    case InitializerKind::lecun_normal:
      scaled_normal(1 / fan.in);
      break;
    case InitializerKind::variance_scaling: {
      const auto code = static_cast<int>(b);
      const double variance = a / std::max(1.0, code / 3 == 0   ? fan.in
                                                : code / 3 == 1 ? fan.out
                                                                : (fan.in + fan.out) / 2);
      if (code % 3 == 0) {
        scaled_normal(variance);
      } else if (code % 3 == 2) {
        scaled_uniform(variance);
      } else {
        const double deviation = std::sqrt(variance);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = deviation * random.normal(i);
      }
      break;
    }
    case InitializerKind::orthogonal:
      return orthogonal_values(shape, a, random);
    case InitializerKind::identity:
      if (shape.rank() != 2) {
        throw Error(ErrorKind::shape, "an identity initializer wants two axes",
                    {.got = shape.to_string()});
      }
      for (Index i = 0; i < std::min(shape[0], shape[1]); ++i) {
        values[static_cast<std::size_t>(i * shape[1] + i)] = a;
      }
      break;
  }
  return values;
}

}  // namespace

void Initializer::fill(Tensor& values, std::uint64_t seed, std::uint64_t stream) const {
  const base::Random random =
      seed_ >= 0 ? base::Random(static_cast<std::uint64_t>(seed_)) : base::Random(seed, stream);
  std::vector<double> drawn = draw(*this, values.shape(), random);
  if (unit_forget_) {
    const auto quarter = static_cast<std::ptrdiff_t>(drawn.size() / 4);
    std::fill_n(drawn.begin() + quarter, quarter, 1.0);
  }
  const auto copy = [&](auto to) { std::ranges::copy(drawn, to.begin()); };
  if (values.dtype() == DType::float64) {
    copy(values.values<double>());
  } else {
    auto to = values.values<float>();
    std::ranges::transform(drawn, to.begin(), [](double v) { return static_cast<float>(v); });
  }
}

Initializer parse_initializer(std::string_view name) {
  std::string names;
  for (const auto& [known, kind] : initializer_names) {
    if (known == name) return kind;
    // The classes' names, last in the table, would only repeat what was said.
    if (known.front() < 'a') continue;
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  throw Error(ErrorKind::value, "no initializer has this name",
              {.got = "\"" + std::string(name) + "\"", .want = "one of " + names});
}

}  // namespace unroll
