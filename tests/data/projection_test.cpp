// Neighbours, principal directions and t-SNE of spaces whose shape is known.
#include "unroll/projection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/base/random.h"
#include "tests/refused.h"

namespace unroll {
namespace {

TEST(Nearest, AreThoseOfTheSameDirection) {
  const Tensor table = Tensor::of<float>({5, 2}, {1, 0, 5, 0.1F, 0, 2, -3, 0, 0, 0});
  const auto found = nearest(table, 0, 10);
  ASSERT_EQ(found.size(), 3u);  // not itself, not the row of zeros
  EXPECT_EQ(found[0].row, 1);
  EXPECT_NEAR(found[0].cosine, 5 / std::sqrt(25.01), 1e-6);
  EXPECT_EQ(found[1].row, 2);
  EXPECT_NEAR(found[1].cosine, 0, 1e-12);
  EXPECT_EQ(found[2].row, 3);
  EXPECT_NEAR(found[2].cosine, -1, 1e-12);
  EXPECT_EQ(nearest(table, 0, 1).size(), 1u);
}

TEST(Pca, FindsTheDirectionsOfMostDifference) {
  // Along (3, 4) / 5 by t, across it by u, nothing along the third axis but a constant.
  const Index n = 200;
  Tensor points({n, 3}, DType::float64);
  const base::Random random(1);
  std::vector<double> along(n);
  double mean_along = 0;
  for (Index i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    along[at] = 10 * random.normal(static_cast<std::uint64_t>(2 * i));
    const double across = random.normal(static_cast<std::uint64_t>(2 * i + 1));
    auto row = points.values<double>().subspan(3 * at, 3);
    row[0] = 0.6 * along[at] - 0.8 * across + 7;
    row[1] = 0.8 * along[at] + 0.6 * across;
    row[2] = 5;
    mean_along += along[at] / n;
  }
  const Tensor seen = pca(points, 3);
  ASSERT_EQ(seen.shape(), (Shape{n, 3}));
  double worst = 0, product = 0, spread = 0;
  for (Index i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double first = seen.at({i, 0}), second = seen.at({i, 1});
    worst = std::max(worst, std::abs(first - (along[at] - mean_along)) / 10);
    product += first * second;
    spread += second * second;
    EXPECT_NEAR(seen.at({i, 2}), 0, 1e-9);
  }
  EXPECT_LT(worst, 0.1);              // the sample's own directions differ a little
  EXPECT_NEAR(product / n, 0, 1e-9);  // exactly uncorrelated
  EXPECT_NEAR(spread / n, 1, 0.2);
}

TEST(Pca, OfPointsThatAreAllTheSame) {
  const Tensor seen = pca(Tensor({4, 3}), 2);
  for (const double value : seen.values<double>()) EXPECT_EQ(value, 0);
}

/// Three groups of points in ten dimensions, far from each other.
Tensor three_groups(Index each) {
  Tensor points({3 * each, 10});
  const base::Random random(2);
  for (Index i = 0; i < points.elements(); ++i) {
    const Index group = i / 10 / each;
    const double centre = i % 10 == group ? 10 : 0;
    points.floats()[i] = static_cast<float>(centre + random.normal(static_cast<std::uint64_t>(i)));
  }
  return points;
}

TEST(Tsne, KeepsNeighboursTogether) {
  const Index each = 40;
  const Tensor plane = tsne(three_groups(each), {.perplexity = 10, .iterations = 400});
  ASSERT_EQ(plane.shape(), (Shape{3 * each, 2}));
  Index right = 0;
  for (Index i = 0; i < 3 * each; ++i) {
    Index closest = -1;
    double least = INFINITY;
    for (Index j = 0; j < 3 * each; ++j) {
      const double distance =
          std::hypot(plane.at({i, 0}) - plane.at({j, 0}), plane.at({i, 1}) - plane.at({j, 1}));
      if (i != j && distance < least) {
        least = distance;
        closest = j;
      }
    }
    right += closest / each == i / each;
  }
  EXPECT_EQ(right, 3 * each);
}

TEST(Tsne, GivesTheSameBytesAgain) {
  const Tensor points = three_groups(5);
  const TsneOptions options{.iterations = 50, .seed = 3};
  const Tensor a = tsne(points, options), b = tsne(points, options);
  EXPECT_TRUE(std::ranges::equal(a.values<double>(), b.values<double>()));
  // Points that lie upon each other come apart, and nothing is divided by zero.
  const Tensor apart = tsne(Tensor({6, 3}), options);
  for (const double value : apart.values<double>()) EXPECT_TRUE(std::isfinite(value));
  Index asked = 0;
  tsne(points, {.interrupted = [&] { return ++asked == 3; }});
  EXPECT_EQ(asked, 3);
}

TEST(Projector, Files) {
  const ProjectorFiles files =
      projector_files(Tensor::of<float>({2, 2}, {1, 0.5F, -2, 3}), {"good", "a\tb\nc"});
  EXPECT_EQ(files.vectors, "1\t0.5\n-2\t3\n");
  EXPECT_EQ(files.metadata, "good\na b c\n");
}

TEST(Projection, Refuses) {
  EXPECT_EQ(refused_with_kind([] {
              nearest(Tensor({3, 2}), 3);
            }),
            "value: nearest: no such row\n"
            "  got    3\n"
            "  want   0 to 2");
  EXPECT_EQ(refused_with_kind([] {
              nearest(Tensor({3, 2}), 0);
            }),
            "value: nearest: the row has no direction\n"
            "  got    row 0, all zeros");
  EXPECT_EQ(refused_with_kind([] { pca(Tensor({3})); }),
            "shape: pca: these are no points\n"
            "  got    (3,)\n"
            "  want   (rows, numbers)");
  EXPECT_EQ(refused_with_kind([] {
              pca(Tensor({3, 2}), 3);
            }),
            "value: pca: no such number of components\n"
            "  got    3\n"
            "  want   1 to 2");
  EXPECT_EQ(refused_with_kind([] {
              tsne(Tensor::of<float>({4, 1}, {1, 2, NAN, 4}));
            }),
            "value: tsne: a number is not finite\n"
            "  got    nan in row 2");
  EXPECT_EQ(refused_with_kind([] {
              tsne(Tensor({3, 2}));
            }),
            "value: tsne: no such number of rows\n"
            "  got    3\n"
            "  want   4 to 10000\n"
            "hint: show the most frequent words only");
  EXPECT_EQ(refused_with_kind([] {
              tsne(Tensor({5, 2}), {.perplexity = 0});
            }),
            "value: tsne: perplexity is out of range\n"
            "  got    0.000000\n"
            "  want   a number above 0");
  EXPECT_EQ(refused_with_kind([] {
              projector_files(Tensor({2, 2}), {"a"});
            }),
            "shape: projector_files: not a label for each row\n"
            "  got    1\n"
            "  want   2");
}

}  // namespace
}  // namespace unroll
