#!/bin/bash
# Makes the clips of this folder: bars_*: one key frame each (bars_gop: a group of five) of seven colour bars at 75 %.
# Needs ffmpeg with libx264. Usage: bash make.sh
set -e
cd "$(dirname "$0")"
BARS=(BFBFBF BFBF00 00BFBF 00BF00 BF00BF BF0000 0000BF)

# clip NAME BAR_WIDTH HEIGHT FRAMES MATRIX RANGE [ENCODER OPTIONS]
clip() {
    name=$1 width=$2 height=$3 frames=$4 matrix=$5 range=$6
    shift 6
    inputs=() stack=""
    for i in "${!BARS[@]}"; do
        inputs+=(-f lavfi -i "color=c=0x${BARS[$i]}:s=${width}x$height:r=25,format=gbrp")
        stack+="[$i]"
    done
    ffmpeg -nostdin -v error -y "${inputs[@]}" -filter_complex \
        "${stack}hstack=7,scale=out_color_matrix=$matrix:out_range=$range:flags=accurate_rnd,format=yuv420p" \
        -frames:v "$frames" -c:v libx264 -preset medium -qp 6 -bf 0 "$@" -f h264 "$name.h264"
}
vui() { echo "-x264-params colormatrix=$1:fullrange=$2:sei=0"; }

clip bars_601_limited 46 176 1 bt601 tv $(vui smpte170m off)
clip bars_601_full 46 176 1 bt601 pc $(vui smpte170m on)
clip bars_709_limited 46 176 1 bt709 tv $(vui bt709 off)
clip bars_709_full 46 176 1 bt709 pc $(vui bt709 on)
# Nothing said about colour: BT.601 below 720 lines, BT.709 from there on. 1080 lines are coded as 1088.
clip bars_untagged_sd 46 176 1 bt601 tv
clip bars_untagged_1080 274 1080 1 bt709 tv
clip bars_main_cabac 46 176 1 bt601 tv -profile:v main $(vui smpte170m off)
clip bars_baseline 46 176 1 bt601 tv -profile:v baseline $(vui smpte170m off)
clip bars_gop 46 176 5 bt601 tv -g 5 $(vui smpte170m off)
clip bars_interlaced 46 176 1 bt601 tv -flags +ildct+ilme
ffmpeg -nostdin -v error -y -i bars_601_limited.h264 -c copy -bsf:v h264_metadata=crop_left=46:crop_top=16 -f h264 bars_cropped.h264
# The same in H.265; of those with ten bits, the upper eight are seen.
h265() {
    name=$1 matrix=$2 range=$3 format=$4 parameters=$5
    ffmpeg -nostdin -v error -y "${inputs[@]}" -filter_complex \
        "${stack}hstack=7,scale=out_color_matrix=$matrix:out_range=$range:flags=accurate_rnd,format=$format" \
        -frames:v 1 -c:v libx265 -preset fast -x265-params "qp=6:log-level=none:info=0:$parameters" -f hevc "$name.h265"
}
h265 bars_h265_709_limited bt709 tv yuv420p colormatrix=bt709:range=limited
h265 bars_h265_601_full bt601 pc yuv420p colormatrix=smpte170m:range=full
h265 bars_h265_untagged bt601 tv yuv420p scaling-list=default
h265 bars_h265_ten_bits bt709 tv yuv420p10le colormatrix=bt709:range=limited
h265 bars_h265_2020 bt2020 tv yuv420p10le colormatrix=bt2020nc:range=limited
# An open group: clean random access pictures, of which the second is led by pictures that refer to those before it.
ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=160x96:r=25 -frames:v 13 -pix_fmt yuv420p -c:v libx265 -preset fast \
    -x265-params qp=30:keyint=6:min-keyint=6:scenecut=0:open-gop=1:bframes=2:log-level=none:info=0 -f hevc moving_open_group.h265
# Pictures that move, of which two of three are referred to by no other.
ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=160x96:r=25 -frames:v 13 -pix_fmt yuv420p -c:v libx264 -preset medium -qp 30 \
    -bf 2 -x264-params b-pyramid=none:b-adapt=0:scenecut=0:sei=0 -f h264 moving_b_frames.h264
# Key frames and others of H.265, to be damaged.
ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=160x96:r=25 -frames:v 6 -pix_fmt yuv420p -c:v libx265 -preset ultrafast \
    -x265-params keyint=3:min-keyint=3:scenecut=0:info=0:log-level=none -f hevc moving.h265
# A group of H.265 without B-frames.
ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=160x96:r=25 -frames:v 5 -pix_fmt yuv420p -c:v libx265 -preset ultrafast \
    -x265-params keyint=5:bframes=0:info=0:log-level=none -f hevc moving_p.h265
