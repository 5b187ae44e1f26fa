// What training takes, for those who know the shapes of the data.
#pragma once

#include <map>
#include <vector>

#include "src/model/trainer.h"
#include "unroll/memory.h"

namespace unroll {

/// Short trials of a lane, each done once. Requires: a bound trainer that outlives it.
class MemoryTrials {
 public:
  /// `rows`: the shape of one row of each input.
  MemoryTrials(Trainer& trainer, std::vector<Shape> rows);
  /// Of batches of `batch` rows, and one of `rest`.
  TrainingMemory training(Index batch, Index rest = 0);

 private:
  LaneBytes lane(Index rows);

  Trainer& trainer_;
  std::vector<Shape> rows_;
  std::map<Index, LaneBytes> tried_;  // by rows
};

/// Throws: Error (value) where training on `count` such rows, in batches, would not fit into what
/// is free.
void check_memory(Trainer& trainer, const std::vector<Shape>& rows, Index batch, Index count);

}  // namespace unroll
