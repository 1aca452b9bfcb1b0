#!/bin/sh
# Makes the clips and still.jpg. Everything in them is synthesized by the filters below: no photograph, recording or
# artwork of anyone is in it. The videos show the same ten seconds, each frame with its number of 0 to 149.
#
# Needs ffmpeg with libx264 and libx265 and the DejaVu fonts. Usage: assets/make.sh
set -eu
cd "$(dirname "$0")"

fonts=${FONTS:-/usr/share/fonts/truetype/dejavu}
mono=$fonts/DejaVuSansMono-Bold.ttf
sans=$fonts/DejaVuSans-Bold.ttf

# The dial: a dark ground, a soft glow, two rings and sixty ticks, every fifth one longer.
# st/ld: 0 = distance from the centre, 1 = angle in turns, 2 = tick, 3 = ring.
dial="st(0,hypot(X-640,Y-320));st(1,atan2(Y-320,X-640)/(2*PI)+1);"
dial="${dial}st(2,between(ld(0),222,if(lt(abs(ld(1)*12-round(ld(1)*12)),0.02),246,236))*lt(abs(ld(1)*60-round(ld(1)*60))*ld(0),14));"
dial="${dial}st(3,clip(1.8-abs(ld(0)-262),0,1)+0.6*clip(1.5-abs(ld(0)-206),0,1));"
glow="exp(-ld(0)*ld(0)/130000)"

# A round spot of radius $1 that fades at its edge, in the colour $2.
spot() {
    echo "color=$2:s=$(($1 * 2))x$(($1 * 2)):r=15,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*clip($1-0.5-hypot(X-$1+0.5,Y-$1+0.5),0,1)'"
}

# The mark that src/mark.rs reads: a row of sixteen cells, the frame number in eight bits, the highest first, white for
# one, and then all of them inverted.
mark="drawbox=x=0:y=0:w=1280:h=40:color=black:t=fill"
for bit in 0 1 2 3 4 5 6 7; do
    cell=drawbox=y=0:w=80:h=40:color=white:t=fill
    mark="$mark,$cell:x=$((80 * bit)):enable='bitand(n,$((128 >> bit)))'"
    mark="$mark,$cell:x=$((80 * bit + 640)):enable='not(bitand(n,$((128 >> bit))))'"
done

# All that moves does so in a period that divides ten seconds, so the clip loops without a seam.
ffmpeg -v error -y -filter_complex "
color=black:s=1280x720:r=15:d=0.05,format=gbrp,geq=
    r='${dial}9+22*${glow}+110*ld(2)+70*ld(3)':
    g='${dial}16+44*${glow}+120*ld(2)+110*ld(3)':
    b='${dial}30+70*${glow}+130*ld(2)+130*ld(3)',
  drawgrid=w=80:h=80:t=1:c=white@0.05,loop=-1:1,fps=15,trim=duration=10,setpts=N/15/TB[ground];
smptehdbars=s=1280x720:r=15:d=0.05,crop=1280:360:0:0,scale=1280:44,format=gbrp,loop=-1:1,fps=15,trim=duration=10,setpts=N/15/TB[bars];
$(spot 15 0xffb020),trim=duration=10[second];
$(spot 9 0x40d0ff),trim=duration=10[gop];
color=0xffb020:s=64x26:r=15,trim=duration=10[runner];
[ground][bars]overlay=0:676[a];
[a][runner]overlay=x='mod(t/10*1344,1344)-64':y=640[b];
[b][second]overlay=x='640-15+262*sin(2*PI*t/10)':y='320-15-262*cos(2*PI*t/10)'[c];
[c][gop]overlay=x='640-9+206*sin(2*PI*t/2)':y='320-9-206*cos(2*PI*t/2)',
  drawtext=fontfile=${mono}:text='%{pts\:hms}':fontsize=46:fontcolor=white:x=(w-text_w)/2:y=270,
  drawtext=fontfile=${mono}:text='frame %{eif\:n\:d\:3}':fontsize=32:fontcolor=0x40d0ff:x=(w-text_w)/2:y=344,
  drawtext=fontfile=${sans}:text='VIRTUAL CAMERA':fontsize=30:fontcolor=white:x=36:y=60,
  drawtext=fontfile=${sans}:text='ten seconds · 150 frames':fontsize=24:fontcolor=0xb0c4d8:x=w-text_w-36:y=64,
  ${mark},
  scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p[out]" \
    -map '[out]' -frames:v 150 -r 15 -c:v ffv1 picture.tmp.mkv

ffmpeg -v error -y -i picture.tmp.mkv -c:v libx264 -profile:v high -level 3.1 -preset veryslow -crf "${CRF:-21}" \
    -threads 1 -x264-params "keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=0:ref=2:repeat-headers=1:sliced-threads=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv" \
    -color_range tv -bsf:v filter_units=remove_types=6 -bitexact -f h264 clip.h264
ffmpeg -v error -y -i picture.tmp.mkv -vf scale=640:360:flags=lanczos -c:v libx265 -preset slower -crf 27 -threads 1 \
    -x265-params "log-level=error:pools=1:frame-threads=1:keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=0:ref=2:repeat-headers=1:info=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=limited" \
    -bsf:v 'filter_units=remove_types=35|39|40' -bitexact -f hevc clip.h265
# Every third frame; with the tables of the standard, which RTP takes for granted.
ffmpeg -v error -y -i picture.tmp.mkv \
    -vf "framestep=3,scale=384:216:flags=lanczos:in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p" \
    -c:v mjpeg -huffman default -threads 1 -q:v 6 -bitexact -f mjpeg clip.mjpeg
# A tone, and a higher one at each second. 156 frames of AAC are 9.984 seconds.
sound="aevalsrc='0.15*sin(2*PI*440*t)+0.4*sin(2*PI*1000*t)*lt(mod(t,1),0.06)'"
ffmpeg -v error -y -f lavfi -i "$sound:s=16000:d=10" -frames:a 156 -c:a aac -b:a 24k -bitexact -f adts clip.aac
ffmpeg -v error -y -f lavfi -i "$sound:s=8000:d=2" -c:a pcm_mulaw -bitexact -f mulaw clip.pcmu
# JPEG readers take BT.601 at full range for granted.
ffmpeg -v error -y -ss 3.4 -i picture.tmp.mkv -frames:v 1 \
    -vf "scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p" -q:v 3 -bitexact still.jpg
rm picture.tmp.mkv
