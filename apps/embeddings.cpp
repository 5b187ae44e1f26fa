// unroll embeddings: the space in which a saved model has put its words.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "src/io/file.h"
#include "src/io/json.h"
#include "unroll/bundle.h"
#include "unroll/plot.h"
#include "unroll/projection.h"
#include "unroll/text_json.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  std::string model, plot, folder;
  std::string method = "tsne";
  std::vector<std::string> words;
  Index nearest = 10;
  Index shown = 300;
  double perplexity = 30;
};

/// The vectors of the model's first Embedding, and what each stands for.
struct Space {
  Tensor table;
  std::vector<std::string> pieces;
  TextEncoder encoder;
};

Space space_of(const Flags& flags) {
  const Bundle bundle = load_bundle(flags.model);
  const auto known =
      std::ranges::find(bundle.properties, "encoder", &std::pair<std::string, std::string>::first);
  for (const Layer& layer : bundle.model.layers()) {
    if (layer.class_name() != "Embedding" || known == bundle.properties.end()) continue;
    Space space{layer.get_weights()[0], {}, text_encoder_from_json(known->second)};
    const Index count = std::min(space.encoder.size(), space.table.shape()[0]);
    for (Index id = 0; id < count; ++id) space.pieces.emplace_back(space.encoder.piece(id));
    space.table = space.table.rows(0, count);
    return space;
  }
  throw Error(ErrorKind::value, flags.model + ": the model in it has no words",
              {.want = "a model with an Embedding, and the encoder of its text"});
}

/// Ids of pieces that texts have, from the most frequent on.
std::vector<Index> common_ids(const Space& space, Index count) {
  const TextEncoder& encoder = space.encoder;
  std::vector<Index> ids;
  for (Index id = 0; id < space.table.shape()[0] && static_cast<Index>(ids.size()) < count; ++id) {
    const auto is = [&](std::optional<std::int32_t> special) {
      return special && static_cast<Index>(*special) == id;
    };
    if (is(encoder.padding()) || is(encoder.unknown()) || is(encoder.begin()) ||
        is(encoder.end())) {
      continue;
    }
    ids.push_back(id);
  }
  return ids;
}

Tensor rows_of(const Tensor& table, const std::vector<Index>& ids) {
  const Index width = table.shape()[1];
  Tensor rows({static_cast<Index>(ids.size()), width});
  float* to = rows.floats();
  for (const Index id : ids) to = std::copy_n(table.floats() + id * width, width, to);
  return rows;
}

Json neighbours(const Space& space, const Flags& flags) {
  Json all = Json::array();
  for (const std::string& word : flags.words) {
    const std::optional<std::int32_t> id = space.encoder.id(word);
    if (!id) {
      throw Error(ErrorKind::value, "the model does not know a word",
                  {.got = "\"" + word + "\"", .hint = "words are as the encoder has cut them"});
    }
    Json near = Json::array();
    for (const Neighbour& one : nearest(space.table, *id, flags.nearest)) {
      near.push_back(
          {{"word", space.pieces[static_cast<std::size_t>(one.row)]}, {"cosine", one.cosine}});
    }
    all.push_back({{"word", word}, {"nearest", near}});
  }
  return all;
}

std::string text_of(const Json& all) {
  std::string text;
  for (const Json& word : all) {
    text += word["word"].get<std::string>() + "\n";
    for (const Json& one : word["nearest"]) {
      text += fmt::format("  {:<24}{:>7.3f}\n", one["word"].get<std::string>(),
                          one["cosine"].get<double>());
    }
  }
  return text;
}

void draw(const Space& space, const Flags& flags, const std::string& line) {
  const std::vector<Index> ids = common_ids(space, flags.shown);
  const Tensor points = rows_of(space.table, ids);
  const InterruptGuard guard;
  const bool by_pca = flags.method == "pca";
  const Tensor plane =
      by_pca ? pca(points)
             : tsne(points, {.perplexity = flags.perplexity,
                             .seed = flags.common.seed,
                             .interrupted = [] { return InterruptGuard::signal() != 0; }});
  std::vector<std::string> labels;
  for (const Index id : ids) labels.push_back(space.pieces[static_cast<std::size_t>(id)]);
  Scatter({.title = fmt::format("{} pieces, {}", ids.size(), by_pca ? "PCA" : "t-SNE"),
           .points = plane,
           .labels = labels,
           .command = line})
      .save(flags.plot);
  if (!flags.common.quiet) say("picture: " + flags.plot);
}

int run(const Flags& flags, const std::string& line) {
  if (!flags.plot.empty()) check_writable(flags.plot);
  const Space space = space_of(flags);
  const Json found = neighbours(space, flags);
  if (flags.common.json) {
    write_out(Json{{"pieces", space.table.shape()[0]},
                   {"numbers", space.table.shape()[1]},
                   {"neighbours", found}}
                  .dump(2) +
              "\n");
  } else {
    write_out(fmt::format("{} pieces, {} numbers each\n", grouped(space.table.shape()[0]),
                          space.table.shape()[1]) +
              text_of(found));
  }
  if (!flags.folder.empty()) {
    const ProjectorFiles files = projector_files(space.table, space.pieces);
    io::write_file(flags.folder + "/vectors.tsv", files.vectors);
    io::write_file(flags.folder + "/metadata.tsv", files.metadata);
    if (!flags.common.quiet)
      say("for the projector: " + flags.folder + "/vectors.tsv, metadata.tsv");
  }
  if (!flags.plot.empty()) draw(space, flags, line);
  return InterruptGuard::signal() == 0 ? 0 : 128 + InterruptGuard::signal();
}

}  // namespace

Command embeddings_command(const std::string& line) {
  auto flags = std::make_shared<Flags>();
  Command command("embeddings", "Shows the space in which a saved model has put its words.",
                  "  unroll embeddings sentiment.unroll --near wonderful --near dull\n"
                  "  unroll embeddings sentiment.unroll --plot words.svg --method pca");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that a command of unroll wrote").required();
  command.group("words");
  command.texts("--near", flags->words, "WORD",
                "whose nearest neighbours are listed; may be given several times");
  command.count("--count", flags->nearest, "how many neighbours (default 10)");
  command.group("picture");
  command.text("--plot", flags->plot, "FILE", "the most frequent words in a plane: .png or .svg");
  command.choice("--method", flags->method, {"tsne", "pca"}, "how many numbers become two");
  command.count("--show", flags->shown, "how many words are drawn (default 300)", Index{4},
                Index{10'000});
  command.number("--perplexity", flags->perplexity, "neighbours that t-SNE looks at (default 30)");
  command.text("--export", flags->folder, "FOLDER",
               "vectors.tsv and metadata.tsv for the TensorBoard projector");
  add_common(command, flags->common);
  command.action([flags, line] { return run(*flags, line); });
  return command;
}

}  // namespace unroll::apps
