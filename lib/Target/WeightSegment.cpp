//===- WeightSegment.cpp - The segment of weights inside a shared library ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// Weights are large; a model of 440 MB should not pass through LLVM and the linker, which would hold it
// several times over. So the linker sees one page of zeros in a section of its own, the last one in memory,
// that occupies no room in the file. Afterwards this file grows that page to the real size and gives it a
// place at the end of the file:
//
//   before                          after
//   PT_LOAD  rw  data, bss, page    PT_LOAD  rw  data, bss
//                                   PT_LOAD  r   weights  (at the old end of the file, page-aligned)
//
// Nothing else moves. The page's address is in the descriptor as a relative relocation of 64 bits, the only
// reference to it, so that the size of the weights has no limit. Nothing lies behind it in memory, so it can
// grow.
//
// The new program header needs a slot in the table. Where the linker gave the page a PT_LOAD of its own that
// one is changed; else PT_PHDR makes room, which a shared library does not need.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/WeightSegment.h"
#include "tfc/Target/EmitModelABI.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace llvm;

namespace {
struct Elf {
  ELF::Elf64_Ehdr header;
  std::vector<ELF::Elf64_Phdr> segments;
  std::vector<ELF::Elf64_Shdr> sections;
  std::vector<char> names;
};
} // namespace

static Error systemError(const char *doing) {
  std::error_code code(errno, std::generic_category());
  return createStringError(code, "cannot %s the shared library: %s", doing, code.message().c_str());
}

static Error readAt(int fd, void *data, size_t size, uint64_t offset) {
  ssize_t done = ::pread(fd, data, size, offset);
  if (done == ssize_t(size))
    return Error::success();
  if (done >= 0)
    errno = EIO;
  return systemError("read back");
}

static Error writeAt(int fd, const void *data, size_t size, uint64_t offset) {
  ssize_t done = ::pwrite(fd, data, size, offset);
  if (done == ssize_t(size))
    return Error::success();
  if (done >= 0)
    errno = ENOSPC;
  return systemError("write");
}

static Expected<Elf> readElf(int fd) {
  Elf elf;
  if (Error error = readAt(fd, &elf.header, sizeof(elf.header), 0))
    return std::move(error);
  if (!elf.header.checkMagic() || elf.header.getFileClass() != ELF::ELFCLASS64)
    return createStringError("the linker did not write a 64-bit ELF file");
  elf.segments.resize(elf.header.e_phnum);
  elf.sections.resize(elf.header.e_shnum);
  if (Error error =
          readAt(fd, elf.segments.data(), elf.segments.size() * sizeof(ELF::Elf64_Phdr), elf.header.e_phoff))
    return std::move(error);
  if (Error error =
          readAt(fd, elf.sections.data(), elf.sections.size() * sizeof(ELF::Elf64_Shdr), elf.header.e_shoff))
    return std::move(error);
  if (elf.header.e_shstrndx >= elf.sections.size())
    return createStringError("the linker did not name its sections");
  const ELF::Elf64_Shdr &table = elf.sections[elf.header.e_shstrndx];
  elf.names.resize(table.sh_size + 1);
  if (Error error = readAt(fd, elf.names.data(), table.sh_size, table.sh_offset))
    return std::move(error);
  return elf;
}

/// The tables go back where they were; none of them grows.
static Error writeTables(int fd, const Elf &elf) {
  if (Error error = writeAt(fd, &elf.header, sizeof(elf.header), 0))
    return error;
  if (Error error =
          writeAt(fd, elf.segments.data(), elf.segments.size() * sizeof(ELF::Elf64_Phdr), elf.header.e_phoff))
    return error;
  return writeAt(fd, elf.sections.data(), elf.sections.size() * sizeof(ELF::Elf64_Shdr), elf.header.e_shoff);
}

/// Changes the table of segments: the one that ends with the page gives it up, and `weights` follows it.
static Error replaceSegment(Elf &elf, const ELF::Elf64_Phdr &weights, uint64_t pageBytes) {
  auto isLoad = [](const ELF::Elf64_Phdr &segment) { return segment.p_type == ELF::PT_LOAD; };
  auto last = llvm::find_if(llvm::reverse(elf.segments), isLoad);
  if (last == elf.segments.rend() || last->p_vaddr + last->p_memsz != weights.p_vaddr + pageBytes)
    return createStringError("the linker did not put the segment of weights last");
  if (last->p_vaddr == weights.p_vaddr) {
    *last = weights;
    return Error::success();
  }
  last->p_memsz = weights.p_vaddr - last->p_vaddr;
  elf.segments.insert(last.base(), weights);
  auto isTableItself = [](const ELF::Elf64_Phdr &segment) { return segment.p_type == ELF::PT_PHDR; };
  auto spare = llvm::find_if(elf.segments, isTableItself);
  if (spare == elf.segments.end())
    return createStringError("the linker left no room in the program headers for the segment of weights");
  elf.segments.erase(spare);
  return Error::success();
}

Expected<uint64_t> tfc::openWeightSegment(int fd, uint64_t bytes) {
  struct stat status;
  if (::fstat(fd, &status) != 0)
    return systemError("read back");
  Expected<Elf> elf = readElf(fd);
  if (!elf)
    return elf.takeError();
  auto isPage = [&](const ELF::Elf64_Shdr &section) {
    return section.sh_name < elf->names.size() &&
           StringRef(elf->names.data() + section.sh_name) == kWeightSegmentSection;
  };
  auto page = llvm::find_if(elf->sections, isPage);
  if (page == elf->sections.end() || page->sh_type != ELF::SHT_NOBITS ||
      page->sh_size != kWeightSegmentPage || !isPowerOf2_64(page->sh_addralign))
    return createStringError("the linker did not keep the segment of weights apart");

  ELF::Elf64_Phdr weights = {};
  weights.p_type = ELF::PT_LOAD;
  weights.p_flags = ELF::PF_R;
  weights.p_offset = alignTo(status.st_size, page->sh_addralign);
  weights.p_vaddr = weights.p_paddr = page->sh_addr;
  weights.p_filesz = weights.p_memsz = bytes;
  weights.p_align = page->sh_addralign;
  if (Error error = replaceSegment(*elf, weights, page->sh_size))
    return std::move(error);
  page->sh_type = ELF::SHT_PROGBITS;
  page->sh_flags &= ~uint64_t(ELF::SHF_WRITE);
  page->sh_offset = weights.p_offset;
  page->sh_size = bytes;
  if (Error error = writeTables(fd, *elf))
    return std::move(error);
  if (::ftruncate(fd, weights.p_offset + bytes) != 0)
    return systemError("write");
  return weights.p_offset;
}
