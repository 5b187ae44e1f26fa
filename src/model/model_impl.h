// What a Model handle points to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/model/packed_model.h"
#include "src/model/trainer.h"
#include "unroll/model.h"

namespace unroll {

struct Session::Impl {
  States states;
  std::unique_ptr<StreamSession> stream;  ///< null: for Model::predict
};

class FitRun;

struct ModelImpl {
  std::string name;
  std::vector<Layer> sequence;  ///< of a Sequential, in order
  bool sequential = false;
  std::unique_ptr<Graph> graph;  ///< null until built
  DType dtype = DType::float32;
  std::optional<CompileOptions> compiled;
  std::unique_ptr<Trainer> trainer;  ///< made for graph and options; null until needed
  Session session;
  bool stop = false;
  std::string why;                    ///< a fit is to end
  FitRun* run = nullptr;              ///< the fit that goes on; null outside
  std::weak_ptr<LayerImpl> as_layer;  ///< what stands for it in other models

  void build_sequence(const Shape& input_shape);
  /// Builds a Sequential from the first data it sees. Throws: Error (shape) where data and inputs
  /// differ.
  void see(const Data& x);
  /// The trainer, made or renewed. `training`: its weights are bound and initialised.
  Trainer& ready(bool for_training);
  States& states(Session& session) { return session.impl_->states; }
  /// Makes room for the states of stateful layers. Throws: Error (shape) for another batch size.
  void fit_states(Session& session, Index batch);
  const Graph& built_graph() const;
};

}  // namespace unroll
