// unroll: every door in one line, for programs.
//
//   #include <unroll/unroll.h>
//
// Read the doors in this order.
#pragma once

// Numbers, and what goes wrong with them.
#include "unroll/error.h"
#include "unroll/index.h"
#include "unroll/shape.h"
#include "unroll/slice.h"
#include "unroll/tensor.h"
#include "unroll/version.h"

// Tables, scalers, windows, texts, pictures.
#include "unroll/csv.h"
#include "unroll/dates.h"
#include "unroll/idx.h"
#include "unroll/plot.h"
#include "unroll/problems.h"
#include "unroll/projection.h"
#include "unroll/scalers.h"
#include "unroll/sequences.h"
#include "unroll/table.h"
#include "unroll/text.h"
#include "unroll/text_encoder.h"
#include "unroll/windows.h"

// Layers, and the models made of them.
#include "unroll/activation.h"
#include "unroll/attention.h"
#include "unroll/callbacks.h"
#include "unroll/confusion_matrix.h"
#include "unroll/conv_lstm.h"
#include "unroll/convolution.h"
#include "unroll/ctc.h"
#include "unroll/initializers.h"
#include "unroll/layer.h"
#include "unroll/layers.h"
#include "unroll/loss_options.h"
#include "unroll/losses.h"
#include "unroll/memory.h"
#include "unroll/metric_options.h"
#include "unroll/metrics.h"
#include "unroll/model.h"
#include "unroll/newer_cells.h"
#include "unroll/optimizers.h"
#include "unroll/rbm.h"
#include "unroll/readout.h"
#include "unroll/record.h"
#include "unroll/recurrent.h"
#include "unroll/schedules.h"
#include "unroll/short_list.h"
#include "unroll/stream.h"
#include "unroll/weight_type.h"

// Whole tasks, and models in files.
#include "unroll/areas.h"
#include "unroll/bundle.h"
#include "unroll/checkpoints.h"
#include "unroll/complete.h"
#include "unroll/diagnose.h"
#include "unroll/forecast.h"
#include "unroll/generate.h"
#include "unroll/language.h"
#include "unroll/layer_list.h"
#include "unroll/loggers.h"
#include "unroll/model_json.h"
#include "unroll/ngram.h"
#include "unroll/plot_model.h"
#include "unroll/reviews.h"
#include "unroll/sentiment.h"
#include "unroll/text_files.h"
#include "unroll/text_json.h"
#include "unroll/trace.h"
#include "unroll/unrolled.h"

// For whoever writes a layer or a cell.
#include "unroll/arena.h"
#include "unroll/autograd.h"
#include "unroll/inline_vector.h"
