// Areas: a network as brains are drawn. An input enters the first area and is passed on to the
// higher ones; besides, areas feed themselves (lateral), lower ones (feedback), and higher ones
// that are not their neighbours (skip).
//
//   Areas areas({.input = {784},
//                .areas = {{"V1", 128}, {"V2", 64}, {"IT", 32}},
//                .links = {{"V1", "IT"}},             // a skip; downwards it would be feedback
//                .outputs = 10});
//   Model model = areas.model(5);                     // a feed-forward pass, then four updates
//   model.compile({.loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
//
// Time. The first pass is feed-forward: each area takes what the ones below have just computed
// through its bottom-up and skip connections. In every pass after it all areas are updated at once,
// from the activations of the pass before and, in the first area, the input again:
//
//   a_i(1) = f(sum over bottom-up and skip connections j > i of  W_ji a_j(1) + b_i)
//   a_i(t) = f(sum over all connections j > i of  W_ji a_j(t - 1) + b_i)          t = 2 .. T
//
// A connection has one weight matrix, whatever the pass: unrolled in space, many connections are
// identical. Training goes through the whole run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll {

struct Area {
  std::string name;
  Index units = 0;  ///< or, of a convolutional area, filters
  Activation activation = "relu";
  /// Of a convolutional area: its picture has so many times fewer places, each way, than what is
  /// below it.
  Index strides = 1;
};

/// From one area to another, by name; "input" may be the first.
struct AreaLink {
  std::string from, to;
};

struct AreasOptions {
  /// Of one row: (features), or (height, width, channels), which makes all areas convolutional:
  /// Conv2D upwards and sideways, Conv2DTranspose from an area of fewer places to one of more.
  Shape input = {};
  std::vector<Area> areas = {};  ///< from the bottom up; each feeds the next one
  bool lateral = true;           ///< each area feeds itself
  bool feedback = true;          ///< each area feeds the one below
  std::vector<AreaLink> links = {};
  Index kernel_size = 3;  ///< of convolutional areas, both ways
  double dropout = 0;     ///< of the last area's activations before the readout
  Index outputs = 1;      ///< numbers that are read out of the last area
  Activation readout = "softmax";
};

/// A connection of a network that runs for some passes.
struct AreasConnection {
  Index mark = 0;        ///< its number in drawings, from 1
  std::string from, to;  ///< areas, or "input"
  std::string kind;      ///< bottom-up, lateral, feedback or skip
  Index drawn = 0;       ///< how often it is there, unrolled in space
  Index weights = 0;     ///< numbers to learn, shared by all of these
};

class Areas {
 public:
  /// Throws: Error (value) for no areas, two of one name, an unknown name in a link, a connection
  ///   that is there twice, sizes that are not positive, or a picture that strides do not divide;
  ///   Error (shape) for another input.
  explicit Areas(const AreasOptions& options);

  /// The network run for `passes` passes; its output is read after the last one. All models of one
  /// Areas share their weights. Throws: Error (value) for fewer than 1 pass.
  Model model(Index passes) const;
  /// The same with an output after every pass, "pass_1" first.
  Model model_of_every_pass(Index passes) const;

  /// The network unrolled in space, in Graphviz's language: every area at every pass is a node;
  /// connections with the same weights have the same mark and colour. save_dot draws it
  /// (unroll/plot_model.h).
  std::string to_dot(Index passes) const;
  /// The legend of that drawing. Throws (both): Error (value) for fewer than 1 pass.
  std::vector<AreasConnection> connections(Index passes) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace unroll
