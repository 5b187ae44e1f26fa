// A learned space made visible: the nearest neighbours of a vector, and the space in a plane.
//
//   Tensor table = model.get_layer("embedding").get_weights()[0];   // (words, numbers)
//   for (const Neighbour& word : nearest(table, id, 10)) ...        // most alike first
//   Tensor plane = tsne(table);                                     // (words, 2)
//   Scatter({.points = plane, .labels = words}).save("words.svg");
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

/// A row that is near another.
struct Neighbour {
  Index row = 0;
  double cosine = 0;  ///< of the angle between the two, -1 to 1
};
/// The `count` rows of `table` (rows, numbers) whose directions are most like that of `row`, which
/// is not among them; rows of zeros are left out. Fewer where there are no more.
/// Throws: Error (shape) for a table that is none; Error (value) for a row outside it or of zeros.
std::vector<Neighbour> nearest(const Tensor& table, Index row, Index count = 10);

/// The rows as seen along the directions in which they differ most: (rows, numbers) -> float64
/// (rows, components), centred. Each direction's sign is such that its largest part is positive.
/// Cost: numbers cubed. Throws: Error (shape) for points that are none; Error (value) for more
///   components than numbers, and for numbers that are not finite.
/// Source: Pearson, 1901; Jacobi's method for the directions.
Tensor pca(const Tensor& points, Index components = 2);

struct TsneOptions {
  double perplexity = 30;  ///< how many neighbours a point looks at, about; lowered for few points
  Index iterations = 1000;
  double learning_rate = 0;  ///< 0: rows / 12, at least 50
  std::uint64_t seed = 0;    ///< of the small displacements of points that lie upon each other
  std::function<bool()> interrupted = {};  ///< asked after every iteration; true ends it there
};
/// The rows in a plane such that near ones stay near: (rows, numbers) -> float64 (rows, 2).
/// Distances between far points mean little. Begins from pca().
/// Cost: rows squared, each iteration; 1,000 rows take seconds.
/// Throws: as pca; Error (value) for fewer than 4 rows or more than 10,000, and for options outside
///   their range.
/// Source: van der Maaten, Hinton, "Visualizing data using t-SNE", 2008.
Tensor tsne(const Tensor& points, const TsneOptions& options = {});

/// The two files that the TensorBoard projector loads: vectors, a line a row, and their labels.
/// Tabs and line ends inside labels become blanks. Throws: Error (shape) for points that are none,
///   and for another number of labels.
struct ProjectorFiles {
  std::string vectors;
  std::string metadata;
};
ProjectorFiles projector_files(const Tensor& points, const std::vector<std::string>& labels);

}  // namespace unroll
