// What training will take, before it takes it.
//
//   std::cout << summary(model, {.batch_size = 64, .time = 200});
//   TrainingMemory memory = training_memory(model, {.batch_size = 64, .time = 200});
//
// fit asks the same question, and refuses to begin what would not fit into the memory that is free.
// UNROLL_MEMORY, a number of bytes, sets another limit.
#pragma once

#include <string>

#include "unroll/model.h"

namespace unroll {

struct MemoryOptions {
  Index batch_size = 32;
  /// Steps of a sequence, where the model leaves them open.
  Index time = 0;
};

/// In bytes. The data are not counted, nor are the copies of kernels that layers pack: at most
/// twice the weights.
struct TrainingMemory {
  Index weights = 0;
  Index gradients = 0;  ///< one for each lane; tables have one in all
  Index optimizer = 0;  ///< what it remembers beside each weight
  Index arenas = 0;     ///< what the lanes compute in
  Index lanes = 0;
  Index lane_rows = 0;  ///< rows of the batch in each

  Index total() const noexcept { return weights + gradients + optimizer + arenas; }
};

/// What a step of fit will take: measured on a few rows of zeros, and extended to all.
/// Throws: Error (value) for a model that is not built or compiled, a size that is not positive,
/// and sequences whose length neither the model nor `time` says.
/// Cost: forward and backward of up to 16 rows.
TrainingMemory training_memory(const Model& model, const MemoryOptions& options = {});

/// Keras's table, and what training will take.
std::string summary(const Model& model, const MemoryOptions& options);

}  // namespace unroll
