#include "image.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "report.h"

namespace quern::driver {
namespace {

/// The file's length from its headers: the end of the section table or of the last section.
size_t elf_bytes(const char* code) {
    Elf64_Ehdr header;
    std::memcpy(&header, code, sizeof header);
    size_t end = header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
    for (int i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section;
        std::memcpy(&section, code + header.e_shoff + static_cast<size_t>(i) * header.e_shentsize, sizeof section);
        end = std::max(end, section.sh_type == SHT_NOBITS ? 0 : static_cast<size_t>(section.sh_offset + section.sh_size));
    }
    return end;
}

const sim::Module* open_module(const std::vector<char>& bytes) {
    int file = memfd_create("quern-sim-image", 0);
    if (file < 0) {
        return nullptr;
    }
    size_t written = 0;
    while (written < bytes.size()) {
        ssize_t n = write(file, bytes.data() + written, bytes.size() - written);
        if (n <= 0) {
            close(file);
            return nullptr;
        }
        written += static_cast<size_t>(n);
    }
    // the descriptor stays open: the loader takes two objects of one path for the same
    void* handle = dlopen(text("/proc/self/fd/%d", file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        report(text("cannot load a kernel image: %s", dlerror()));
        return nullptr;
    }
    auto entry = reinterpret_cast<const sim::Module* (*)()>(dlsym(handle, "quern_sim_module"));
    return entry == nullptr ? nullptr : entry();
}

bool valid(const sim::Dim& d) { return d.x > 0 && d.y > 0 && d.z > 0; }

}  // namespace

CUresult load_image(const void* code, const Settings& settings, Image** image) {
    // never destroyed: images stay loaded, and LeakSanitizer looks after static destructors have run
    static auto& loaded = *new std::vector<Image*>;
    if (code == nullptr) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const char* start = static_cast<const char*>(code);
    uint32_t magic;
    std::memcpy(&magic, code, 4);
    if (magic == 0xba55ed50u) {
        report("a fatbin was loaded, but the simulated device runs images made by g++ only");
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    if (std::memcmp(start, ELFMAG, SELFMAG) != 0 || start[EI_CLASS] != ELFCLASS64) {
        return CUDA_ERROR_INVALID_IMAGE;
    }
    size_t bytes = elf_bytes(start);
    auto same = std::find_if(loaded.begin(), loaded.end(), [&](Image* i) {
        return i->bytes.size() == bytes && std::memcmp(i->bytes.data(), code, bytes) == 0;
    });
    if (same != loaded.end()) {
        *image = *same;
    } else {
        auto fresh = new Image{{start, start + bytes}, nullptr};
        fresh->module = open_module(fresh->bytes);
        if (fresh->module == nullptr || fresh->module->abi != sim::kAbi) {
            report("a kernel image is no module of this simulator; build both from one tree");
            delete fresh;
            return CUDA_ERROR_INVALID_IMAGE;
        }
        loaded.push_back(fresh);
        *image = fresh;
    }
    int target = static_cast<int>((*image)->module->target), device = settings.major * 10 + settings.minor;
    if ((*image)->module->exact ? device != target : device < target) {
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    return CUDA_SUCCESS;
}

CUresult make_launch(Simulator& s, KernelHandle* handle, const CUlaunchConfig& config, void** parameters, void** extra, Task* task) {
    auto launch = std::make_shared<Launch>();
    launch->kernel = handle->kernel;
    launch->bind = handle->image->module->bind;
    launch->grid = {config.gridDimX, config.gridDimY, config.gridDimZ};
    launch->block = {config.blockDimX, config.blockDimY, config.blockDimZ};
    launch->dynamic_bytes = config.sharedMemBytes;
    launch->shared_limit = static_cast<unsigned>(limits(s.settings.major, s.settings.minor).shared_optin);
    const sim::Kernel& kernel = *handle->kernel;
    auto refuse = [&](CUresult error, const std::string& why) {
        report(text("launch of %s: ", kernel.name) + why);
        return error;
    };
    const sim::Dim &grid = launch->grid, &block = launch->block;
    if (!valid(grid) || !valid(block) || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535 || block.x > 1024 ||
        block.y > 1024 || block.z > 64) {
        return refuse(CUDA_ERROR_INVALID_VALUE, text("grid (%u,%u,%u), block (%u,%u,%u)", grid.x, grid.y, grid.z, block.x,
                                                     block.y, block.z));
    }
    unsigned threads = block.x * block.y * block.z;
    if (threads > 1024 || threads > kernel.max_threads) {
        return refuse(CUDA_ERROR_INVALID_VALUE, text("%u threads in a block, but it is bounded to %u", threads, kernel.max_threads));
    }
    if (config.sharedMemBytes > handle->dynamic_limit) {
        return refuse(CUDA_ERROR_INVALID_VALUE,
                      text("%u bytes of dynamic shared memory, but CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES is %u",
                           config.sharedMemBytes, handle->dynamic_limit));
    }
    for (unsigned i = 0; i < config.numAttrs; i++) {
        const CUlaunchAttribute& attribute = config.attrs[i];
        if (attribute.id == 4) {
            launch->cluster = {attribute.value.cluster.x, attribute.value.cluster.y, attribute.value.cluster.z};
        } else if (attribute.id == 6 && attribute.value.value != 0) {
            if (s.settings.major < 9) {
                return refuse(CUDA_ERROR_NOT_SUPPORTED, "programmatic stream serialization before compute capability 9.0");
            }
            launch->overlaps = true;
        } else if (attribute.id < 0 || attribute.id > 16) {
            return refuse(CUDA_ERROR_INVALID_VALUE, text("unknown attribute %d", attribute.id));
        }
    }
    const sim::Dim& cluster = launch->cluster;
    unsigned size = cluster.x * cluster.y * cluster.z;
    if (size != 1 && (s.settings.major < 9 || size == 0 || size > (handle->wide_clusters ? 16u : 8u) || grid.x % cluster.x != 0 ||
                      grid.y % cluster.y != 0 || grid.z % cluster.z != 0)) {
        return refuse(CUDA_ERROR_INVALID_CLUSTER_SIZE, text("cluster (%u,%u,%u) on grid (%u,%u,%u), compute capability %d.%d",
                                                            cluster.x, cluster.y, cluster.z, grid.x, grid.y, grid.z,
                                                            s.settings.major, s.settings.minor));
    }
    // parameters are copied now, each aligned like a tensor map
    char* storage = static_cast<char*>(std::aligned_alloc(64, size_t{64} * 64 * (kernel.parameters + 1)));
    launch->storage = {storage, std::free};
    size_t offset = 0, packed = 0;
    const char* buffer = nullptr;
    size_t buffer_bytes = 0;
    for (void** e = extra; parameters == nullptr && e != nullptr && *e != nullptr; e += 2) {
        if (*e == reinterpret_cast<void*>(1)) {
            buffer = static_cast<const char*>(e[1]);
        } else if (*e == reinterpret_cast<void*>(2)) {
            buffer_bytes = *static_cast<size_t*>(e[1]);
        }
    }
    if (kernel.parameters != 0 && parameters == nullptr && buffer == nullptr) {
        return refuse(CUDA_ERROR_INVALID_VALUE, text("no parameters, but it has %u", kernel.parameters));
    }
    for (unsigned i = 0; i < kernel.parameters; i++) {
        const void* source;
        if (parameters != nullptr) {
            source = parameters[i];
            if (source == nullptr) {
                return refuse(CUDA_ERROR_INVALID_VALUE, text("parameter %u of %u is null", i, kernel.parameters));
            }
        } else {
            packed = (packed + kernel.alignments[i] - 1) / kernel.alignments[i] * kernel.alignments[i];
            if (packed + kernel.sizes[i] > buffer_bytes) {
                return refuse(CUDA_ERROR_INVALID_VALUE, text("a parameter buffer of %zu bytes, too small", buffer_bytes));
            }
            source = buffer + packed;
            packed += kernel.sizes[i];
        }
        std::memcpy(storage + offset, source, kernel.sizes[i]);
        for (unsigned word = 0; word + sizeof(uintptr_t) <= kernel.sizes[i]; word += sizeof(uintptr_t)) {
            uintptr_t value;
            std::memcpy(&value, storage + offset + word, sizeof value);
            if (s.memory.contains(value) || s.host.pinned(reinterpret_cast<void*>(value), 1)) {
                launch->addresses.push_back(value);
            }
        }
        launch->parameters.push_back(storage + offset);
        offset += (kernel.sizes[i] + 63) / 64 * 64;
    }
    Simulator* owner = &s;
    task->what = kernel.name;
    task->kernel = handle;
    task->cluster[0] = cluster.x;
    task->cluster[1] = cluster.y;
    task->cluster[2] = cluster.z;
    task->overlaps = launch->overlaps;
    task->run = [owner, launch]() -> CUresult {
        if (launch->overlaps) {
            // before its wait a kernel may be ahead of all launches before it, or behind them: it must not touch what they might
            owner->memory.hide(launch->addresses, true);
            owner->host.hide(launch->addresses, true);
            Failure early = run_before_wait(*launch);
            owner->host.hide(launch->addresses, false);
            owner->memory.hide(launch->addresses, false);
            if (early.error != 0) {
                report(early.text);
                return early.error;
            }
        }
        owner->memory.open();
        Failure failure = run_kernel(*launch);
        bool fine = owner->memory.close(launch->kernel->name);
        if (failure.error != 0) {
            report(failure.text);
            return failure.error;
        }
        return fine ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS;
    };
    return CUDA_SUCCESS;
}

}  // namespace quern::driver
