// Runs both models through the runtime's C++ header.
#include "tfc-c/Model.hpp"

#include <cstdio>
#include <stdexcept>
#include <vector>

int main() {
  try {
    tfc::Model model("./tiny.so"), other("./made.so");
    tfc::Context context(model, 1), moved(std::move(context));
    std::vector<int64_t> ids = {1, 17, 2}, ones = {1, 1, 1}, zeros(3);
    tfc::Outputs outputs = moved.run({{"token_type_ids", tfc::view(zeros, {1, 3})},
                                      {"input_ids", tfc::view(ids, {1, 3})},
                                      {"attention_mask", tfc::view(ones, {1, 3})}});
    const tfc::Array &hidden = outputs["last_hidden_state"];
    std::printf("%.9g %.9g %d %d\n", double(hidden.data<float>()[0]), double(outputs["pooler_output"].data<float>()[0]),
                int(hidden.dims()[0]), int(hidden.dims()[1]));

    tfc::Context second(other);
    std::string said;
    try {
      second.run({{"input_ids", tfc::view(ids, {3})}});
    } catch (const tfc::Error &error) {
      said = error.what();
    }
    std::printf("%s\n", said.c_str());
    try {
      moved.run({{"input_ids", tfc::view(ids, {1, 3})}, {"attention_mask", tfc::view(ones, {3, 1})}, {"token_type_ids", tfc::view(zeros, {1, 3})}});
      return 1;
    } catch (const tfc::Error &error) {
      std::printf("%d %s\n", error.code() == TFC_BAD_INPUT, error.what());
    }
    try {
      hidden.data<int64_t>();
      return 1;
    } catch (const tfc::Error &error) {
      std::printf("%s\n", error.what());
    }
  } catch (const tfc::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
