//===- StaticArchive.cpp - A model as a static library -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// The members of an archive are the model's code, its weights and the runtime's core. A linker takes a member when something refers to one of
// its symbols: a program that calls the query function gets code and weights of that model, and the core once, whichever
// archive has it first.
//
// Weights do not go through LLVM: their object is a header of some hundred bytes, written here, before the bytes.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/StaticArchive.h"
#include "tfc/Target/EmitModelABI.h"
#include "tfc/Target/OutputFile.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/MathExtras.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace llvm;

std::string tfc::getWeightSymbol(StringRef querySymbol) { return (kWeightSegmentSymbol + "." + querySymbol).str(); }

void tfc::qualifyNames(Module &module, StringRef querySymbol) {
  unsigned number = 0;
  for (GlobalObject &object : module.global_objects()) {
    if (object.isDeclaration() || object.getName() == querySymbol)
      continue;
    if (object.getName() == kWeightSegmentSymbol) {
      auto &page = cast<GlobalVariable>(object);
      page.setInitializer(nullptr);
      page.setName(getWeightSymbol(querySymbol));
      continue;
    }
    // The code is made in parts, which need names for what is local.
    if (object.hasLocalLinkage())
      object.setName("tfc.local." + Twine(number++));
    object.setName(object.getName() + "." + querySymbol);
    object.setLinkage(GlobalValue::ExternalLinkage);
    object.setVisibility(GlobalValue::HiddenVisibility);
    object.setDSOLocal(true);
  }
}

namespace {
/// The tables in front of the weights.
class WeightObject {
public:
  WeightObject(const Triple &triple, StringRef symbol, uint64_t bytes);
  std::string text;
  uint64_t dataOffset = 0;

private:
  template <typename T> void append(const T &value) { text.append(reinterpret_cast<const char *>(&value), sizeof(value)); }
  static constexpr uint64_t kAlignment = 4096;
};
} // namespace

WeightObject::WeightObject(const Triple &triple, StringRef symbol, uint64_t bytes) {
  // Data far from the code has sections of its own on x86-64; the only reference is one of 64 bits.
  bool isX86 = triple.isX86();
  StringRef section = isX86 ? ".lrodata" : ".rodata";
  std::string sectionNames(1, '\0'), symbolNames(1, '\0');
  auto addName = [](std::string &table, StringRef name) {
    uint32_t place = table.size();
    table += name.str() + '\0';
    return place;
  };
  ELF::Elf64_Sym symbols[2] = {};
  symbols[1].st_name = addName(symbolNames, symbol);
  symbols[1].setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
  symbols[1].st_other = ELF::STV_HIDDEN;
  symbols[1].st_shndx = 1;
  symbols[1].st_size = bytes;

  enum { Null, Data, Symbols, SymbolNames, SectionNames, Stack, Count };
  ELF::Elf64_Shdr sections[Count] = {};
  auto describe = [&](int number, StringRef name, uint32_t type, uint64_t offset, uint64_t size, uint64_t alignment) {
    sections[number].sh_name = addName(sectionNames, name);
    sections[number].sh_type = type;
    sections[number].sh_offset = offset;
    sections[number].sh_size = size;
    sections[number].sh_addralign = alignment;
  };
  ELF::Elf64_Ehdr header = {};
  uint64_t tables = sizeof(header) + sizeof(sections);
  describe(Symbols, ".symtab", ELF::SHT_SYMTAB, tables, sizeof(symbols), 8);
  sections[Symbols].sh_link = SymbolNames;
  sections[Symbols].sh_info = 1; // the first that is not local
  sections[Symbols].sh_entsize = sizeof(ELF::Elf64_Sym);
  describe(SymbolNames, ".strtab", ELF::SHT_STRTAB, tables + sizeof(symbols), symbolNames.size(), 1);
  describe(Stack, ".note.GNU-stack", ELF::SHT_PROGBITS, tables, 0, 1);
  describe(Data, section, ELF::SHT_PROGBITS, 0, bytes, kAlignment);
  sections[Data].sh_flags = ELF::SHF_ALLOC | (isX86 ? uint64_t(ELF::SHF_X86_64_LARGE) : 0);
  describe(SectionNames, ".shstrtab", ELF::SHT_STRTAB, tables + sizeof(symbols) + symbolNames.size(), 0, 1);
  sections[SectionNames].sh_size = sectionNames.size();
  dataOffset = alignTo(sections[SectionNames].sh_offset + sectionNames.size(), kAlignment);
  sections[Data].sh_offset = dataOffset;

  std::memcpy(header.e_ident, ELF::ElfMagic, 4);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine = isX86 ? ELF::EM_X86_64 : ELF::EM_AARCH64;
  header.e_version = ELF::EV_CURRENT;
  header.e_shoff = sizeof(header);
  header.e_ehsize = sizeof(header);
  header.e_shentsize = sizeof(ELF::Elf64_Shdr);
  header.e_shnum = Count;
  header.e_shstrndx = SectionNames;
  append(header);
  append(sections);
  append(symbols);
  text += symbolNames + sectionNames;
}

Expected<uint64_t> tfc::openWeightObject(int fd, const Triple &triple, StringRef symbol, uint64_t bytes) {
  WeightObject object(triple, symbol, bytes);
  int error = writeFullyAt(fd, object.text.data(), object.text.size(), 0);
  if (!error && ::ftruncate(fd, object.dataOffset + bytes) != 0)
    error = errno;
  if (error)
    return createStringError(std::error_code(error, std::generic_category()), "cannot write the object of the weights: %s", strerror(error));
  return object.dataOffset;
}

Error tfc::writeStaticArchive(raw_fd_ostream &os, ArrayRef<std::pair<std::string, StringRef>> members) {
  std::vector<NewArchiveMember> written;
  for (const auto &[name, bytes] : members) {
    NewArchiveMember &member = written.emplace_back(MemoryBufferRef(bytes, name));
    member.MemberName = name;
  }
  Error error = writeArchiveToStream(os, written, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU, /*Deterministic=*/true,
                                     /*Thin=*/false);
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  if (!error && code)
    error = createStringError(code, "cannot write the archive: %s", code.message().c_str());
  return error;
}
